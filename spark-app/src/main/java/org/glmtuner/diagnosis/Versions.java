package org.glmtuner.diagnosis;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;

/** What this process runs on, besides its hardware. */
public final class Versions {
  private static final String SEPARATOR = ", ";

  private Versions() {}

  /** One line: {@link #programs}, kernel and C library. */
  public static String describe() throws IOException {
    List<String> parts = new ArrayList<>();
    parts.add(programs());
    parts.add(System.getProperty("os.name") + " " + System.getProperty("os.version"));
    add(parts, "glibc", glibc());
    return String.join(SEPARATOR, parts);
  }

  /** Java, Spark and Scala as far as they are there. */
  public static String programs() throws IOException {
    List<String> parts = new ArrayList<>();
    parts.add(
        "Java " + Runtime.version().feature() + " (" + System.getProperty("java.version") + ")");
    add(parts, "Spark", resource("spark-version-info.properties", "version"));
    add(parts, "Scala", resource("library.properties", "version.number"));
    return String.join(SEPARATOR, parts);
  }

  /**
   * Judges what hosts have said of themselves. The driver may run on another system, but not with
   * other programs.
   *
   * @param driver its {@link #programs}
   * @param hosts {@link #describe} of each
   */
  public static void compare(Findings findings, String driver, Collection<String> hosts) {
    Set<String> different = new TreeSet<>(hosts);
    boolean asDriver = different.stream().allMatch(host -> host.startsWith(driver + SEPARATOR));
    if (different.size() > 1 || !asDriver) {
      findings.warning(
          "versions",
          (different.size() > 1 ? "hosts differ: " : "the hosts have ")
              + String.join("; ", different)
              + (asDriver ? "" : "; the driver has " + driver),
          "take the same everywhere");
    }
  }

  private static void add(List<String> parts, String name, Optional<String> version) {
    version.ifPresent(known -> parts.add(name + " " + known));
  }

  /** A property of a file that a library brings. */
  private static Optional<String> resource(String file, String key) throws IOException {
    try (InputStream in = Versions.class.getClassLoader().getResourceAsStream(file)) {
      Properties properties = new Properties();
      if (in != null) {
        properties.load(in);
      }
      return Optional.ofNullable(properties.getProperty(key));
    }
  }

  /** As {@code getconf} prints it: {@code glibc 2.36}; nothing where there is no such program. */
  private static Optional<String> glibc() {
    try {
      Process process = new ProcessBuilder("getconf", "GNU_LIBC_VERSION").start();
      try {
        process.getOutputStream().close();
        String said =
            new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        return Optional.of(said)
            .filter(text -> text.toLowerCase(Locale.ROOT).startsWith("glibc "))
            .map(text -> text.substring("glibc ".length()));
      } finally {
        process.destroyForcibly();
      }
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
