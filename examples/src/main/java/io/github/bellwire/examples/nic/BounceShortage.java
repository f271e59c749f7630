package io.github.bellwire.examples.nic;

import io.github.bellwire.examples.host.PolicyKeys;
import io.github.bellwire.examples.report.Report;
import io.github.bellwire.examples.settings.Settings;
import io.github.bellwire.examples.settings.UserErrorException;
import io.github.bellwire.host.Host;
import java.util.Locale;

/**
 * What a run says whose rings ask for more bounce memory than the host has: no driver is to blame
 * for that, but the settings.
 */
final class BounceShortage {
  private BounceShortage() {}

  /** {@return whether a buffer could not be mapped for want of bounce memory} */
  static boolean isIn(Host host) {
    return host.bounceBuffers().exhaustedCount() > 0;
  }

  /** Says that there was a shortage, if there was, as frames may have been lost for it. */
  static void addRemark(Report report, Host host) {
    if (isIn(host)) {
      report.remark(
          String.format(
              Locale.ROOT,
              "Bounce memory of %s ran out: buffers could not be mapped %,d times, so rings had fewer"
                  + " of them than descriptors. Frames that found no descriptor may be dropped for"
                  + " that; a smaller ring.size, queues or nic.buffer needs less.",
              size(host),
              host.bounceBuffers().exhaustedCount()));
    }
  }

  /** {@return what is wrong with the settings of a host with a shortage} */
  static UserErrorException error(Settings settings, Host host) {
    return settings.refuse(
        PolicyKeys.IOMMU,
        String.format(
            "needs more than %s of bounce memory with %s, %s and %s; one of them must be smaller",
            size(host),
            settings.assignment(NicKeys.RING_SIZE),
            settings.assignment(NicKeys.QUEUES),
            settings.assignment(NicKeys.BUFFER)));
  }

  private static String size(Host host) {
    return NicKeys.BUFFER.type().format((long) host.bounceBuffers().sizeBytes());
  }
}
