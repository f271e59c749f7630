package io.github.bellwire.examples.report;

/**
 * A law that the run's own figures must obey, such as frames offered = received + dropped. One that
 * fails is a defect of the simulator.
 *
 * @param name the law in a phrase
 * @param isOk whether it holds
 * @param detail the figures
 */
public record SelfCheck(String name, boolean isOk, String detail) {}
