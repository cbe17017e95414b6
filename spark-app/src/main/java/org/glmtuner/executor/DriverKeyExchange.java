package org.glmtuner.executor;

import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/** Exchanges the keys of ranks that run on many hosts through the driver. */
final class DriverKeyExchange implements PmiServer.KeyExchange {
  private static final long FIRST_POLL_MILLIS = 10;
  private static final int MOST_POLLS_PER_SECOND =
      1000; // over all ranks, for the driver's one thread

  private final String attempt;
  private final int rank;
  private final int worldSize;
  private int epoch;

  DriverKeyExchange(String attempt, int rank, int worldSize) {
    this.attempt = attempt;
    this.rank = rank;
    this.worldSize = worldSize;
  }

  /**
   * The driver cannot wait for the last rank, so every rank asks until all have come: less often
   * the more ranks there are.
   */
  @Override
  public Map<String, String> exchange(Map<String, String> puts)
      throws IOException, InterruptedException {
    TaskMessage.Exchange message =
        new TaskMessage.Exchange(attempt, rank, worldSize, epoch++, new HashMap<>(puts));
    while (true) {
      Object all = DriverLink.ask(message);
      if (all != null) {
        Map<String, String> result = new HashMap<>();
        ((Map<?, ?>) all).forEach((key, value) -> result.put((String) key, (String) value));
        return result;
      }
      Thread.sleep(Math.max(FIRST_POLL_MILLIS, 1000L * worldSize / MOST_POLLS_PER_SECOND));
    }
  }
}
