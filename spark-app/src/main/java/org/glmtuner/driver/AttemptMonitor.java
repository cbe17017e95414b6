package org.glmtuner.driver;

import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.glmtuner.executor.DriverEndpoint;
import org.glmtuner.executor.TaskMessage;
import org.glmtuner.executor.TaskMessage.Stop;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.wire.Frame.Phase;

/**
 * The driver's side of an attempt: answers tasks at once, on Spark's one thread, and passes what
 * they say to a listener on a thread of its own, which may take its time with files.
 */
final class AttemptMonitor implements Function<TaskMessage, Object>, AutoCloseable {

  /** Hears of an attempt, one message after another. What it throws fails the attempt. */
  interface Listener {
    void hear(TaskMessage message) throws Exception;
  }

  private final String attempt;
  private final int worldSize;
  private final double collectiveLimitSeconds;
  private final Listener listener;
  private final ExecutorService events =
      Executors.newSingleThreadExecutor(body -> new Thread(body, "attempt-events"));
  private final Map<Integer, Map<Integer, Map<String, String>>> exchanges = new TreeMap<>();
  private final Map<Integer, TaskMessage.Alive> alive = new TreeMap<>();
  private final Map<Integer, TaskMessage.Member> members = new TreeMap<>();
  private TunerException failure;

  private AttemptMonitor(
      String attempt, int worldSize, Duration collectiveLimit, Listener listener) {
    this.attempt = attempt;
    this.worldSize = worldSize;
    this.collectiveLimitSeconds = collectiveLimit.toMillis() / 1e3;
    this.listener = listener;
  }

  /** Listens to the tasks of {@code attempt} until closed. */
  static AttemptMonitor open(
      String attempt, int worldSize, Duration collectiveLimit, Listener listener) {
    AttemptMonitor monitor = new AttemptMonitor(attempt, worldSize, collectiveLimit, listener);
    DriverEndpoint.open(attempt, monitor);
    return monitor;
  }

  @Override
  public synchronized Object apply(TaskMessage message) {
    if (message instanceof TaskMessage.Failed failed) {
      fail(new TunerException(failed.exitCode(), failed.message()));
      return null;
    }
    if (failure != null) {
      return new Stop(failure.getMessage());
    }
    if (message instanceof TaskMessage.Clock) {
      return System.currentTimeMillis();
    }
    if (message instanceof TaskMessage.Exchange exchange) {
      return exchange(exchange);
    }
    if (message instanceof TaskMessage.Joined joined) { // before its first sign of life
      members.put(joined.member().rank(), joined.member());
    }
    if (message instanceof TaskMessage.Alive sign) {
      members.put(sign.member().rank(), sign.member());
      alive.put(sign.member().rank(), sign);
      checkCollective();
      return null;
    }
    events.execute(() -> deliver(message));
    return null;
  }

  /** Ends the attempt: tasks are told so when they next speak. The first reason stands. */
  synchronized void fail(TunerException reason) {
    if (failure == null) {
      failure = reason;
    }
  }

  /** Why the attempt failed, as far as tasks or the listener have said. */
  synchronized Optional<TunerException> failure() {
    return Optional.ofNullable(failure);
  }

  /** The ranks that have joined or given a sign of life. */
  synchronized List<TaskMessage.Member> members() {
    return List.copyOf(members.values());
  }

  /** Stops listening, after all that was said has been heard. */
  @Override
  public void close() {
    DriverEndpoint.close(attempt);
    events.shutdown();
    boolean interrupted = false;
    while (true) {
      try {
        if (events.awaitTermination(1, TimeUnit.HOURS)) {
          break;
        }
      } catch (InterruptedException e) {
        interrupted = true;
        events.shutdownNow();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private Object exchange(TaskMessage.Exchange exchange) {
    Map<Integer, Map<String, String>> byRank =
        exchanges.computeIfAbsent(exchange.epoch(), epoch -> new TreeMap<>());
    byRank.put(exchange.rank(), exchange.puts());
    if (byRank.size() < worldSize) {
      return null;
    }
    HashMap<String, String> all = new HashMap<>();
    byRank.values().forEach(all::putAll);
    return all;
  }

  /**
   * A rank that waits in a collective waits for another; when all do, the network or the library
   * has stopped.
   */
  private void checkCollective() {
    boolean allWait =
        alive.size() == worldSize
            && alive.values().stream()
                .allMatch(
                    sign ->
                        sign.phase() == Phase.IN_COLLECTIVE
                            && sign.seconds() > collectiveLimitSeconds);
    if (allWait) {
      TaskMessage.Alive longest =
          alive.values().stream()
              .max(Comparator.comparingDouble(TaskMessage.Alive::seconds))
              .orElseThrow();
      fail(
          new TunerException(
              ExitCode.TRAINING_FAILED,
              String.format(
                  Locale.ROOT,
                  "Cannot go on: all %d ranks wait in a collective of step %d, %s for %.0f s",
                  worldSize,
                  longest.step() + 1,
                  longest.member(),
                  longest.seconds())));
    }
  }

  private void deliver(TaskMessage message) {
    try {
      listener.hear(message);
    } catch (TunerException e) {
      fail(e);
    } catch (Exception e) {
      fail(
          new TunerException(
              ExitCode.TRAINING_FAILED,
              "Cannot handle a "
                  + message.getClass().getSimpleName()
                  + " message: "
                  + e.getMessage(),
              e));
    }
  }
}
