package io.github.bellwire.pcie;

/** What a memory request says of its address: the AT field (Base Specification, section 10.2.1). */
public enum AddressType {
  /** 00b: an address that is to be translated if the host translates. */
  UNTRANSLATED,
  /** 01b: the request asks for a translation, and moves nothing. */
  TRANSLATION_REQUEST,
  /** 10b: the device has translated the address; it wants it used as it is. */
  TRANSLATED
}
