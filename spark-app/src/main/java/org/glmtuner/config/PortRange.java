package org.glmtuner.config;

import java.io.Serializable;

/** Ports from {@code first} to {@code last}; {@link #ANY} leaves the choice to the kernel. */
public record PortRange(int first, int last) implements Serializable {
  public static final PortRange ANY = new PortRange(0, 0);

  /** {@code 50000-50100}; empty for any. */
  public String format() {
    return equals(ANY) ? "" : first + "-" + last;
  }
}
