package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LocalKeyExchangeTest {
  private static final int BARRIERS = 500;

  @Test
  @Timeout(value = 30, unit = TimeUnit.SECONDS)
  void everyBarrierBringsTheKeysOfAllRanks() throws Exception {
    LocalKeyExchange exchange = new LocalKeyExchange(2);
    ExecutorService ranks = Executors.newFixedThreadPool(2);
    try {
      Future<?> first = ranks.submit(() -> meet(exchange, "a", "b"));
      Future<?> second = ranks.submit(() -> meet(exchange, "b", "a"));
      first.get();
      second.get();
    } finally {
      ranks.shutdownNow();
    }
  }

  private static Void meet(LocalKeyExchange exchange, String mine, String theirs)
      throws InterruptedException {
    for (int i = 0; i < BARRIERS; i++) {
      assertThat(exchange.exchange(Map.of(mine + i, "x"))).containsOnlyKeys(mine + i, theirs + i);
    }
    return null;
  }
}
