/**
 * The keys that describe the machine under a scenario.
 *
 * <pre>{@code
 * settings: host=bdw link.mps=128 ... --> HostKeys --> HostConfig --> Host
 *           link.switch=on ...        --> Slots    --> devices in its ports or behind a switch
 * }</pre>
 *
 * <p>Units are those of the keys. Not modelled here: anything; the machine is {@link
 * io.github.bellwire.host.Host}.
 */
@NullMarked
package io.github.bellwire.examples.host;

import org.jspecify.annotations.NullMarked;
