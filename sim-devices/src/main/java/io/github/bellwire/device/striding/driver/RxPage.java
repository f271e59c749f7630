package io.github.bellwire.device.striding.driver;

/** A page that frames are received into; the stack holds it as long as it needs the bytes. */
public final class RxPage {
  final RxPages owner;
  final long pa;
  long iova;
  boolean isMapped;
  boolean isInEntry;
  private int holders;

  RxPage(RxPages owner, long pa) {
    this.owner = owner;
    this.pa = pa;
  }

  /** {@return host physical address} */
  public long pa() {
    return pa;
  }

  /** Somebody needs the bytes. */
  public void hold() {
    holders++;
  }

  /** Somebody who has held the page does not need it any more. */
  public void release() {
    holders--;
    if (holders == 0) {
      owner.onReleased(this);
    }
  }

  boolean isHeld() {
    return holders > 0;
  }
}
