/** Device models and the host software that drives them. */
module io.github.bellwire.devices {
  requires transitive io.github.bellwire.core;
  requires static transitive org.jspecify;
  requires org.slf4j;

  exports io.github.bellwire.device.aperture;
  exports io.github.bellwire.device.aperture.driver;
  exports io.github.bellwire.device.attacker;
  exports io.github.bellwire.device.drive;
  exports io.github.bellwire.device.nic;
  exports io.github.bellwire.device.nic.driver;
  exports io.github.bellwire.device.probe;
  exports io.github.bellwire.device.striding;
  exports io.github.bellwire.device.striding.driver;
}
