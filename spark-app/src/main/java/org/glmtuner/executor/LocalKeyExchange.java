package org.glmtuner.executor;

import java.util.HashMap;
import java.util.Map;

/** Exchanges the keys of ranks whose servers are threads of this JVM. */
final class LocalKeyExchange implements PmiServer.KeyExchange {
  private final int worldSize;
  private Map<String, String> gathering = new HashMap<>();
  private int arrived;

  LocalKeyExchange(int worldSize) {
    this.worldSize = worldSize;
  }

  @Override
  public synchronized Map<String, String> exchange(Map<String, String> puts)
      throws InterruptedException {
    Map<String, String> mine = gathering;
    mine.putAll(puts);
    arrived++;
    if (arrived == worldSize) {
      arrived = 0;
      gathering = new HashMap<>(); // for the next barrier: nobody changes this one any more
      notifyAll();
    }
    while (gathering == mine) {
      wait();
    }
    return mine;
  }
}
