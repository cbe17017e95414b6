package org.glmtuner.nativeddp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

class NativeHandleTest {
  private final List<Long> released = new ArrayList<>();
  private final NativeHandle handle = new NativeHandle(this, "thing", 42, released::add);

  @Test
  void usesSeeTheAddress() {
    assertThat(handle.<Long>with(address -> address + 1)).isEqualTo(43);
  }

  @Test
  void closingReleasesOnce() {
    handle.close();
    handle.close();
    assertThat(released).containsExactly(42L);
  }

  @Test
  void useAfterCloseIsRefused() {
    handle.close();
    assertThatThrownBy(() -> handle.run(address -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("Cannot use the thing: it is closed");
  }

  @Test
  void usesOverlapAndClosingWaitsForThem() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      CountDownLatch inside = new CountDownLatch(1);
      CountDownLatch mayLeave = new CountDownLatch(1);
      AtomicBoolean left = new AtomicBoolean();
      Future<?> longUse =
          threads.submit(
              () ->
                  handle.run(
                      address -> {
                        inside.countDown();
                        awaitQuietly(mayLeave);
                        left.set(true);
                      }));
      assertThat(inside.await(10, TimeUnit.SECONDS)).isTrue();
      assertThat(handle.<Long>with(address -> address)).isEqualTo(42);
      NativeHandle closing = handle;
      Future<Boolean> leftBeforeClosed =
          threads.submit(
              () -> {
                closing.close();
                return left.get();
              });
      mayLeave.countDown();
      assertThat(leftBeforeClosed.get(10, TimeUnit.SECONDS)).isTrue();
      longUse.get(10, TimeUnit.SECONDS);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void onlyAForgottenHandleIsReported() {
    List<String> messages = new ArrayList<>();
    Logger logger = Logger.getLogger(NativeHandle.class.getName());
    Handler recorder =
        new Handler() {
          @Override
          public void publish(LogRecord logged) {
            messages.add(
                logged.getLevel() + " " + logged.getMessage() + " " + logged.getParameters()[0]);
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    logger.setUseParentHandlers(false);
    logger.addHandler(recorder);
    try {
      NativeHandle.leakReport("thing", new AtomicBoolean(true)).run();
      assertThat(messages).isEmpty();
      NativeHandle.leakReport("thing", new AtomicBoolean(false)).run();
      assertThat(messages).containsExactly("WARNING The {0} was not closed thing");
    } finally {
      logger.removeHandler(recorder);
      logger.setUseParentHandlers(true);
    }
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      if (!latch.await(10, TimeUnit.SECONDS)) {
        throw new IllegalStateException("not released");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
