/**
 * Packet captures of Ethernet frames in the classic pcap format.
 *
 * <pre>{@code
 *  file header, 24 B                                record header, 16 B
 * +-------+---------+-----+---------+-----------+  +-----+-----+--------+--------+-------+
 * | magic | version |  0  | snaplen | link type |  | sec | sub |captured|original| frame | ...
 * |  4 B  | 2 + 2 B | 8 B |   4 B   |    4 B    |  | 4 B | 4 B |  4 B   |  4 B   |       |
 * +-------+---------+-----+---------+-----------+  +-----+-----+--------+--------+-------+
 * }</pre>
 *
 * <p>The magic number 0xa1b2c3d4 announces microseconds, 0xa1b23c4d nanoseconds; its byte order is
 * that of the file (draft-ietf-opsawg-pcap). Time stamps are nanoseconds since 1970, frames come
 * without FCS. Not supported: pcapng, compressed files, other link types, frames cut short.
 */
@NullMarked
package io.github.bellwire.examples.pcap;

import org.jspecify.annotations.NullMarked;
