/**
 * The simulation kernel and the machine model: memory, cache, PCIe, CPU and the driver's DMA side.
 */
module io.github.bellwire.core {
  requires static transitive org.jspecify;
  requires org.slf4j;
  requires HdrHistogram;

  exports io.github.bellwire.cache;
  exports io.github.bellwire.cpu;
  exports io.github.bellwire.dma;
  exports io.github.bellwire.dma.check;
  exports io.github.bellwire.host;
  exports io.github.bellwire.kernel;
  exports io.github.bellwire.memory;
  exports io.github.bellwire.pcie;
  exports io.github.bellwire.stats;
  exports io.github.bellwire.trace;
}
