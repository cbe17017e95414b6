package org.glmtuner;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The memory of a process, as the kernel counts it. */
public final class ResidentMemory {
  private static final Pattern MAPPING = Pattern.compile("[0-9a-f]+-[0-9a-f]+ .*");
  private static final Pattern RESIDENT = Pattern.compile("Rss: +(\\d+) kB");

  private ResidentMemory() {}

  /**
   * Bytes in all mappings but those of weight files. Pages of libraries count whether another
   * process has them too or not, so that the number depends on this process alone.
   *
   * @param process its directory in {@code /proc}
   */
  public static long withoutWeights(Path process) throws IOException {
    long kilobytes = 0;
    boolean weights = false;
    for (String line : Files.readAllLines(process.resolve("smaps"))) {
      Matcher resident = RESIDENT.matcher(line);
      if (MAPPING.matcher(line).matches()) {
        weights = line.endsWith(".safetensors");
      } else if (!weights && resident.matches()) {
        kilobytes += Long.parseLong(resident.group(1));
      }
    }
    return kilobytes << 10;
  }
}
