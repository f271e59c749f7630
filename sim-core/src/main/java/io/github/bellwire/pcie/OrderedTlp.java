package io.github.bellwire.pcie;

import static java.util.Objects.requireNonNull;

/**
 * A TLP as far as ordering is concerned.
 *
 * @param tlpClass its kind
 * @param attributes see {@link TlpAttributes}
 * @param senderId the requester ID of a request, the completer ID of a completion; see {@link
 *     Bdf#requesterId()}
 * @param transactionId of a completion: requester ID and tag of the request; others ignore it
 */
public record OrderedTlp(TlpClass tlpClass, int attributes, int senderId, long transactionId) {
  public OrderedTlp {
    requireNonNull(tlpClass, "tlpClass");
    TlpAttributes.require(attributes);
  }

  /**
   * {@return what the header of a TLP on a link says}
   *
   * @param header01 double words 0 and 1
   * @param header23 double words 2 and 3
   */
  public static OrderedTlp of(long header01, long header23) {
    int attributes = TlpHeader.attributes(header01);
    int senderId = TlpHeader.senderId(header01);
    if (TlpHeader.isCompletion(header01)) {
      long transactionId =
          (long) TlpHeader.completionRequesterId(header23) << 10
              | TlpHeader.completionTag(header01, header23);
      return new OrderedTlp(TlpClass.COMPLETION, attributes, senderId, transactionId);
    }
    TlpClass tlpClass = TlpHeader.isMemoryWrite(header01) ? TlpClass.POSTED : TlpClass.READ_REQUEST;
    return new OrderedTlp(tlpClass, attributes, senderId, 0);
  }
}
