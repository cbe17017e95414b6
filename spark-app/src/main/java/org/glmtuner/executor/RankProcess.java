package org.glmtuner.executor;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A rank's operating-system process. It must be started on a thread that lives as long as the task,
 * because the kernel ends the rank when the thread that forked it ends. Its standard input is the
 * life line: it ends when this JVM does, whatever way.
 */
final class RankProcess implements AutoCloseable {
  private static final String CRASH =
      "# A fatal error has been detected by the Java Runtime Environment";
  private static final Logger LOG = LoggerFactory.getLogger(RankProcess.class);
  private static final int KEPT_LINES = 40;
  private static final long GRACE_MILLIS = 2000;
  private static final int SIGNAL_BASE = 128;

  private final Process process;
  private final OutputStream lifeLine;
  private final Thread logReader;
  private final Deque<String> lastLines = new ArrayDeque<>();
  private final SharedMemoryFiles sharedMemory;
  private boolean crashed; // guarded by lastLines
  private volatile String killedBecause; // null: it was not

  private RankProcess(Process process) {
    this.process = process;
    this.lifeLine = process.getOutputStream();
    this.sharedMemory = new SharedMemoryFiles(process.pid());
    this.logReader = new Thread(this::relayLog, "rank-log-" + process.pid());
    logReader.setDaemon(true);
    logReader.start();
  }

  static RankProcess start(RankLaunch launch) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(launch.command()).redirectErrorStream(true);
    builder.environment().clear();
    builder.environment().putAll(launch.environment());
    return new RankProcess(builder.start());
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** To be called often until the rank has joined its group; see {@link SharedMemoryFiles}. */
  void noteSharedMemory() {
    sharedMemory.note();
  }

  /** Ends it by force; {@code how} is what its obituary says. */
  void kill(String how) {
    killedBecause = how;
    process.toHandle().destroyForcibly(); // the process's own way closes its output unread
  }

  /** How it ended and the last lines it wrote; waits a moment for both. */
  String obituary() throws InterruptedException {
    if (!process.waitFor(GRACE_MILLIS, TimeUnit.MILLISECONDS)) {
      return "closed its connection but still runs";
    }
    logReader.join(GRACE_MILLIS);
    int status = process.exitValue();
    String how = killedBecause;
    if (how == null) {
      how =
          status > SIGNAL_BASE
              ? "was killed by signal " + (status - SIGNAL_BASE)
              : "exited with status " + status;
    }
    List<String> lines;
    synchronized (lastLines) {
      lines = List.copyOf(lastLines);
    }
    return lines.isEmpty() ? how : how + "; its last output:\n  " + String.join("\n  ", lines);
  }

  /** Waits for a rank that was asked to finish. */
  boolean awaitExit(long millis) throws InterruptedException {
    return process.waitFor(millis, TimeUnit.MILLISECONDS);
  }

  /** Ends the process if it still runs: politely, then by force; returns when it is reaped. */
  @Override
  public void close() {
    boolean interrupted = false;
    if (process.isAlive()) {
      sharedMemory.note();
      process.destroy();
      try {
        process.waitFor(GRACE_MILLIS, TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    process.destroyForcibly();
    while (process.isAlive()) {
      try {
        process.waitFor();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    sharedMemory.unlink();
    try {
      lifeLine.close();
    } catch (IOException e) {
      LOG.debug(
          "The pipe to rank process {} broke", process.pid(), e); // it is dead: nothing is lost
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** The last lines; of a report of the JVM's own end, which is long, the first. */
  private void keep(String line) {
    synchronized (lastLines) {
      if (line.startsWith(CRASH)) {
        crashed = true;
        lastLines.clear();
      }
      if (lastLines.size() == KEPT_LINES) {
        if (crashed) {
          return;
        }
        lastLines.removeFirst();
      }
      lastLines.addLast(line);
    }
  }

  private void relayLog() {
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        LOG.info("rank process {}: {}", process.pid(), line);
        keep(line);
      }
    } catch (IOException e) {
      LOG.warn("Lost the log of rank process {}: {}", process.pid(), e.getMessage());
    }
  }
}
