package io.github.bellwire.device.attacker;

/** What a device does when the host takes translations away that it keeps. */
public enum InvalidationManners {
  /** It forgets them and says so when their last use is over. */
  HONEST,
  /** It says that it has forgotten them, and keeps them. */
  KEEPING,
  /** It keeps them and never answers. */
  SILENT
}
