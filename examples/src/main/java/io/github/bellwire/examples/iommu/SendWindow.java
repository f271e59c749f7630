package io.github.bellwire.examples.iommu;

/**
 * How many frames a sender of TCP may have under way, as Linux decides it: slow start up to a
 * threshold, then growth by a constant per round trip; after a loss as many frames less as arrive,
 * in proportion, until the threshold is met (proportional rate reduction, RFC 6937, tcp_input.c);
 * after a timeout one frame.
 */
final class SendWindow {
  private enum State {
    OPEN,
    RECOVERY,
    TIMED_OUT
  }

  private static final double FRAMES_MIN = 2;

  private final CongestionControl control;
  private final double framesMax;
  private State state = State.OPEN;
  private double frames;
  private double threshold;
  // The sequence behind the last frame that was under way at the loss.
  private int end;
  // Of a recovery: the window before it, and what has arrived and been sent since.
  private int prior;
  private int delivered;
  private int sent;

  /**
   * Creates a window beyond slow start.
   *
   * @param startFrames to begin with
   * @param framesMax at most, at least 2
   */
  SendWindow(CongestionControl control, double startFrames, double framesMax) {
    this.control = control;
    this.framesMax = framesMax;
    frames = Math.max(FRAMES_MIN, Math.min(framesMax, startFrames));
    threshold = frames;
  }

  /** {@return how many frames may be under way} */
  int frames() {
    return (int) frames;
  }

  /** {@return whether nothing has been lost, or all of it has arrived} */
  boolean isOpen() {
    return state == State.OPEN;
  }

  /** A frame has been sent. */
  void onSent() {
    sent++;
  }

  /**
   * An acknowledgement has come, and losses have been looked for.
   *
   * @param first the first sequence that has not arrived
   * @param next the first that has not been sent
   * @param news frames that have arrived, as it tells
   * @param lost frames that have to be sent again
   * @param underWay frames of which nothing is known
   */
  void onAck(int first, int next, int news, int lost, int underWay, boolean isLossFree) {
    boolean isAdvanced = state == State.OPEN || first >= end;
    if (state == State.RECOVERY && isAdvanced) {
      frames = threshold;
    }
    if (isAdvanced) {
      state = State.OPEN;
    }
    if (state == State.OPEN && lost > 0) {
      state = State.RECOVERY;
      end = next;
      prior = (int) frames;
      threshold = Math.max(FRAMES_MIN, frames * control.keptRatio());
      delivered = 0;
      sent = 0;
    }
    if (state == State.RECOVERY) {
      reduce(news, underWay, isLossFree);
    } else {
      grow(news);
    }
  }

  private void reduce(int news, int underWay, boolean isLossFree) {
    delivered += news;
    int room = (int) threshold - underWay;
    int most =
        room < 0
            ? ((int) threshold * delivered + prior - 1) / prior - sent
            : Math.min(room, Math.max(delivered - sent, news) + (isLossFree ? 1 : 0));
    // The first frame is sent again at once.
    frames = underWay + Math.max(most, sent == 0 ? 1 : 0);
  }

  private void grow(int news) {
    double growth =
        frames < threshold
            ? Math.min(news, threshold - frames)
            : control.growthFrames() * news / frames;
    frames = Math.min(framesMax, frames + growth);
  }

  /**
   * Nothing has been heard for too long.
   *
   * @param next the first sequence that has not been sent
   */
  void onTimeout(int next) {
    if (state == State.OPEN) {
      threshold = Math.max(FRAMES_MIN, frames * control.keptRatio());
    }
    state = State.TIMED_OUT;
    end = next;
    frames = 1;
  }
}
