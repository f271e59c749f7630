package io.github.bellwire.examples.pio;

/**
 * What one copy took.
 *
 * @param callPs from the call to its return
 * @param cpuPs of that, what the core could not have spent otherwise
 * @param arrivalPs from the call until the last byte was where it should be
 * @param isContentOk whether the bytes that arrived are those that left
 */
record CopyTimes(long callPs, long cpuPs, long arrivalPs, boolean isContentOk) {}
