package org.glmtuner.benchmark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What a process has in memory, in bytes.
 *
 * @param resident all of it, shared files included
 * @param proportional of shared pages, the part of one of those who share them
 * @param own pages that it has written: no other process can share them
 */
record ProcessMemory(long resident, long proportional, long own) {
  static ProcessMemory of(long pid) throws IOException {
    return parse(Files.readAllLines(Path.of("/proc/" + pid + "/smaps_rollup")));
  }

  static ProcessMemory parse(List<String> lines) throws IOException {
    return new ProcessMemory(
        bytes(lines, "Rss:"), bytes(lines, "Pss:"), bytes(lines, "Private_Dirty:"));
  }

  private static long bytes(List<String> lines, String field) throws IOException {
    for (String line : lines) {
      if (line.startsWith(field)) {
        return Long.parseLong(line.replaceAll("\\D+", "")) << 10;
      }
    }
    throw new IOException("smaps_rollup does not say " + field);
  }
}
