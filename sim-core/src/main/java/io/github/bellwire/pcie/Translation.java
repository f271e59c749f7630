package io.github.bellwire.pcie;

/**
 * Translates the bus addresses of devices, or refuses. Implementations outside this module model an
 * IOMMU; {@link #IDENTITY} is a host without one.
 */
@FunctionalInterface
public interface Translation {
  /**
   * Bus address equals physical address; takes no time and refuses nothing but addresses that claim
   * to be translated, as nobody has translated any.
   */
  Translation IDENTITY =
      (request, result) -> {
        if (request.addressType() == AddressType.UNTRANSLATED) {
          result.translated(request.iova(), request.atPs());
        } else {
          result.refused(DmaStatus.UNSUPPORTED_REQUEST, request.atPs());
        }
      };

  /**
   * Translates one TLP's range, which never crosses 4 KiB. Interrupt messages are not translated.
   * What has been translated is memory or a peer, never the interrupt range. A {@linkplain
   * AddressType#TRANSLATION_REQUEST request for a translation} is answered by {@link
   * TranslationResult#translatedRange}, without a fault if the page is not there; or refused, which
   * a device sees that may not ask.
   *
   * @param request who asks for what; owned by the caller
   * @param result receives the outcome; owned by the caller
   */
  void translate(TranslationRequest request, TranslationResult result);
}
