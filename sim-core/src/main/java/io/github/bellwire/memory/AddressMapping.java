package io.github.bellwire.memory;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Which address bits select channel, rank, bank group, bank, row and column. Written as a list of
 * two-letter fields from the highest bit to the lowest: {@code ch ra bg ba ro co}, as DRAMsim3 and
 * Ramulator do, in any case, such as {@code rochrababgco} or {@code RoBaRaCoCh}.
 *
 * <ul>
 *   <li>A field may be split: a number after a part says how many of the field's lowest bits not
 *       yet placed it holds, counted from the right; the part without a number holds the rest.
 *       {@code rocobabgraco2} puts two column bits lowest and the others below the row.
 *   <li>Without {@code bg} the bank field holds the group in its low bits; without {@code ch} the
 *       channel is the lowest field, without {@code ra} the rank follows it.
 *   <li>{@code ^co} or {@code ^ro} at the end turns rank, group and bank by exclusive or with the
 *       lowest column or row bits, in this order.
 *   <li>{@code MOP4CLXOR} is Ramulator's name for {@code rocobabgraco2^co}.
 * </ul>
 *
 * <p>Immutable.
 */
final class AddressMapping {
  /** Index of a field in all arrays. */
  static final int CHANNEL = 0;

  static final int RANK = 1;
  static final int GROUP = 2;
  static final int BANK = 3;
  static final int ROW = 4;
  static final int COLUMN = 5;

  private static final List<String> NAMES = List.of("ch", "ra", "bg", "ba", "ro", "co");
  private static final String FORM =
      "mapping must be two-letter fields of ch, ra, bg, ba, ro and co from the highest bit to the"
          + " lowest, such as RoBaRaCoCh or rocobabgraco2^co, or MOP4CLXOR: ";
  private static final Map<String, String> ALIASES = Map.of("mop4clxor", "rocobabgraco2^co");

  /** What the row would need if it were not the highest field. */
  private static final int ROW_BITS = 16;

  private final int burstShift;
  private final int[] bits = new int[NAMES.size()];
  // Parts from the lowest bit to the highest: where they are, and where they go in their field.
  private final int partsCount;
  private final int[] partField;
  private final int[] partShift;
  private final long[] partMask;
  private final int[] partTarget;
  private final int xorField;

  /** A run of address bits; negative width means the rest of the field. */
  private record Part(int field, int width) {}

  /**
   * Parses a mapping.
   *
   * @param text as in the class comment
   * @param timing sizes of the fields
   * @param channels a power of two
   * @param ranks a power of two
   * @throws IllegalArgumentException if the text is not a mapping
   */
  AddressMapping(String text, DramTiming timing, int channels, int ranks) {
    DramTiming.Organization organization = timing.organization();
    burstShift = log2(organization.burstBytes());
    bits[CHANNEL] = log2(channels);
    bits[RANK] = log2(ranks);
    bits[GROUP] = log2(organization.bankGroupsCount());
    bits[BANK] = log2(organization.banksPerGroupCount());
    bits[ROW] = ROW_BITS;
    bits[COLUMN] = log2(organization.burstsPerRow());

    String lower = text.toLowerCase(Locale.ROOT);
    String plain = ALIASES.getOrDefault(lower, lower);
    int caret = plain.indexOf('^');
    xorField = caret < 0 ? -1 : xorField(plain.substring(caret + 1), text);
    List<Part> parts = parts(caret < 0 ? plain : plain.substring(0, caret), text);

    partsCount = parts.size();
    partField = new int[partsCount];
    partShift = new int[partsCount];
    partMask = new long[partsCount];
    partTarget = new int[partsCount];
    place(parts, text);
  }

  /** {@return the burst that an address lies in, counted from address 0} */
  long burst(long pa) {
    return pa >>> burstShift;
  }

  /**
   * Takes an address apart.
   *
   * @param burst as {@link #burst} returns it
   * @param fields where the six values go
   */
  void decode(long burst, long[] fields) {
    for (int i = 0; i < fields.length; i++) {
      fields[i] = 0;
    }
    for (int i = 0; i < partsCount; i++) {
      fields[partField[i]] |= (burst >>> partShift[i] & partMask[i]) << partTarget[i];
    }
    if (xorField >= 0) {
      turn(fields);
    }
  }

  private void turn(long[] fields) {
    long key = fields[xorField];
    for (int field = RANK; field <= BANK; field++) {
      fields[field] ^= key & (1L << bits[field]) - 1;
      key >>>= bits[field];
    }
  }

  private static int xorField(String name, String text) {
    int field = NAMES.indexOf(name);
    if (field != ROW && field != COLUMN) {
      throw new IllegalArgumentException(FORM + "mapping=" + text);
    }
    return field;
  }

  /** Returns the parts from the lowest bit to the highest. */
  private static List<Part> parts(String fields, String text) {
    List<Part> parts = new ArrayList<>();
    int at = 0;
    while (at < fields.length()) {
      int end = Math.min(at + 2, fields.length());
      int field = NAMES.indexOf(fields.substring(at, end));
      int digits = end;
      while (digits < fields.length() && Character.isDigit(fields.charAt(digits))) {
        digits++;
      }
      if (field < 0 || digits > end + 2) {
        throw new IllegalArgumentException(FORM + "mapping=" + text);
      }
      int width = digits == end ? -1 : Integer.parseInt(fields.substring(end, digits));
      parts.add(0, new Part(field, width));
      at = digits;
    }
    addMissing(parts, text);
    return parts;
  }

  private static void addMissing(List<Part> parts, String text) {
    if (!has(parts, ROW) || !has(parts, BANK) || !has(parts, COLUMN)) {
      throw new IllegalArgumentException(FORM + "mapping=" + text);
    }
    if (!has(parts, GROUP)) {
      for (int i = 0; i < parts.size(); i++) {
        if (parts.get(i).field() == BANK) {
          parts.add(i, new Part(GROUP, -1));
          break;
        }
      }
    }
    if (!has(parts, RANK)) {
      parts.add(0, new Part(RANK, -1));
    }
    if (!has(parts, CHANNEL)) {
      parts.add(0, new Part(CHANNEL, -1));
    }
  }

  private static boolean has(List<Part> parts, int field) {
    return parts.stream().anyMatch(part -> part.field() == field);
  }

  private void place(List<Part> parts, String text) {
    Map<Integer, Integer> placed = new HashMap<>();
    int shift = 0;
    for (int i = 0; i < partsCount; i++) {
      Part part = parts.get(i);
      int done = placed.getOrDefault(part.field(), 0);
      int width = part.width() < 0 ? bits[part.field()] - done : part.width();
      boolean isTop = i == partsCount - 1 && part.field() == ROW;
      if (done < 0 || width < 0 || done + width > bits[part.field()]) {
        throw new IllegalArgumentException(
            "mapping must place the "
                + bits[part.field()]
                + " bits of "
                + NAMES.get(part.field())
                + " once: mapping="
                + text);
      }
      partField[i] = part.field();
      partShift[i] = shift;
      partTarget[i] = done;
      // A row on top takes all bits that are left, so that no two addresses are one.
      partMask[i] = isTop ? -1L >>> burstShift + shift : (1L << width) - 1;
      shift += width;
      // After the part that holds the rest there must be no other.
      placed.put(part.field(), part.width() < 0 ? -1 : done + width);
    }
    placed.forEach(
        (field, done) -> {
          if (done >= 0 && done < bits[field]) {
            throw new IllegalArgumentException(
                "mapping must place the "
                    + bits[field]
                    + " bits of "
                    + NAMES.get(field)
                    + " once: mapping="
                    + text);
          }
        });
  }

  private static int log2(int power) {
    return Integer.numberOfTrailingZeros(power);
  }
}
