package org.glmtuner.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class HostLockTest {
  @TempDir Path directory;

  /** The other process: takes the lock, says so, and holds it until it is killed. */
  static final class Holder {
    private Holder() {}

    public static void main(String[] arguments) throws Exception {
      HostLock.acquire(Path.of(arguments[0]), () -> {});
      System.out.println("locked");
      Thread.sleep(60_000);
    }
  }

  @Test
  void lastsUntilTheOtherProcessDies() throws Exception {
    Path file = directory.resolve("new/lock");
    Process holder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Holder.class.getName(),
                file.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader output =
        new BufferedReader(
            new InputStreamReader(holder.getInputStream(), StandardCharsets.UTF_8))) {
      assertThat(output.readLine()).isEqualTo("locked");
      AtomicBoolean waiting = new AtomicBoolean();
      CompletableFuture<HostLock> acquired = acquire(file, () -> waiting.set(true));
      await().until(waiting::get);
      assertThat(acquired).isNotDone();
      holder.destroyForcibly();
      acquired.get(30, TimeUnit.SECONDS).close();
    } finally {
      holder.destroyForcibly();
    }
  }

  @Test
  void excludesThreadsOfOneProcessOnTheSameFileOnly() throws Exception {
    Path file = directory.resolve("lock");
    AtomicBoolean secondWaits = new AtomicBoolean();
    AtomicBoolean thirdWaits = new AtomicBoolean();
    HostLock first = HostLock.acquire(file, HostLockTest::mustNotWait);
    HostLock other = HostLock.acquire(directory.resolve("other"), HostLockTest::mustNotWait);
    CompletableFuture<HostLock> second = acquire(file, () -> secondWaits.set(true));
    await().untilTrue(secondWaits);
    assertThat(second).isNotDone();
    first.close();
    first.close();
    HostLock held = second.get(30, TimeUnit.SECONDS);
    CompletableFuture<HostLock> third = acquire(file, () -> thirdWaits.set(true));
    await().untilTrue(thirdWaits);
    assertThat(third).as("a second close gives nothing back").isNotDone();
    held.close();
    third.get(30, TimeUnit.SECONDS).close();
    other.close();
  }

  @Test
  void whatTheWaitingThrowsEndsIt() throws Exception {
    Path file = directory.resolve("lock");
    try (HostLock held = HostLock.acquire(file, HostLockTest::mustNotWait)) {
      assertThatThrownBy(() -> HostLock.acquire(file, HostLockTest::mustNotWait))
          .hasMessage("somebody has it");
      assertThat(held).isNotNull();
    }
    HostLock.acquire(file, HostLockTest::mustNotWait).close();
  }

  private static void mustNotWait() {
    throw new IllegalStateException("somebody has it");
  }

  private static CompletableFuture<HostLock> acquire(Path file, Runnable waiting) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return HostLock.acquire(file, waiting);
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
        });
  }
}
