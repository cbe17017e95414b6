package org.glmtuner.executor;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.FrameChannel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A rank as its task sees it: a process, the conversation with it, and the watch over it. Opened,
 * used and closed by the task's thread; two threads of its own move frames, so that a rank that
 * stopped reading cannot block the watch.
 */
final class RankSession implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RankSession.class);
  private static final Duration START_LIMIT = Duration.ofMinutes(2);
  private static final long POLL_MILLIS = 20;
  private static final long CONSEQUENCE_MILLIS = 1000;

  private final RankProcess process;
  private final FrameChannel channel;
  private final Watch watch;
  private final BlockingQueue<Frame> received = new LinkedBlockingQueue<>();
  private final BlockingQueue<Frame> toSend = new LinkedBlockingQueue<>();
  private final Thread reader;
  private final Thread writer;
  private volatile boolean gone;
  private volatile RuntimeException broken;
  private boolean ready;
  private String name = "a rank";

  private RankSession(RankProcess process, FrameChannel channel, Watch watch) {
    this.process = process;
    this.channel = channel;
    this.watch = watch;
    this.reader = thread("rank-reader-" + process.pid(), this::receive);
    this.writer = thread("rank-writer-" + process.pid(), this::send);
  }

  /**
   * Forks the rank and waits until it has connected; its JVM and DJL's engine go on starting
   * meanwhile.
   */
  static RankSession open(
      RankLaunch launch, AttemptDirectory directory, Duration heartbeatTimeout, TaskSignal signal)
      throws IOException, InterruptedException {
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(directory.rankSocket()));
      server.configureBlocking(false);
      RankProcess process = RankProcess.start(launch);
      try {
        return new RankSession(
            process,
            new FrameChannel(accept(server, process, signal)),
            new Watch(heartbeatTimeout));
      } catch (IOException | InterruptedException | RuntimeException e) {
        process.close();
        throw e;
      }
    }
  }

  private static SocketChannel accept(
      ServerSocketChannel server, RankProcess process, TaskSignal signal)
      throws IOException, InterruptedException {
    long end = System.nanoTime() + START_LIMIT.toNanos();
    while (true) {
      SocketChannel connection = server.accept();
      if (connection != null) {
        connection.configureBlocking(true);
        return connection;
      }
      signal.check();
      if (!process.isAlive()) {
        throw failed("Cannot start a rank: its process " + process.obituary());
      }
      if (System.nanoTime() > end) {
        throw failed(
            "Cannot start a rank: its process did not connect within "
                + START_LIMIT.toSeconds()
                + " s");
      }
      Thread.sleep(POLL_MILLIS);
    }
  }

  /** How messages call this rank from now on. */
  void name(String newName) {
    name = newName;
  }

  long pid() {
    return process.pid();
  }

  /** Ends the rank, whose library has said what is wrong and would wait for its end. Any thread. */
  void mpiHasAborted() {
    process.kill("was ended by its MPI library");
  }

  /** Queues a frame; the rank gets them in order. */
  void post(Frame frame) {
    toSend.add(frame);
  }

  /**
   * The next frame but for signs of life, which are consumed here; null if none came within {@code
   * millis}.
   *
   * @throws TunerException naming the rank, where it died, gave up or hangs
   */
  Frame next(long millis) throws InterruptedException {
    if (!ready) {
      process.noteSharedMemory();
    }
    if (broken != null) {
      throw new IllegalStateException(name + " cannot be told what to do", broken);
    }
    Frame frame = received.poll(millis, TimeUnit.MILLISECONDS);
    if (frame == null) {
      if (gone && received.isEmpty()) {
        throw failed("Cannot go on: " + name + " " + process.obituary());
      }
      String silence = watch.silence();
      if (silence != null) {
        throw failed("Cannot go on: " + name + " hangs: " + silence + " (ranks.heartbeat-timeout)");
      }
      return null;
    }
    watch.heard(frame);
    ready |= frame instanceof Frame.Ready;
    if (frame instanceof Frame.Failed failure) {
      if (!failure.stackTrace().isEmpty()) {
        LOG.error("{} failed: {}\n{}", name, failure.message(), failure.stackTrace());
      }
      if (failure.exitCode() == ExitCode.TRAINING_FAILED) {
        // It may have lost its connection to a rank that died: that one's task is to speak first.
        Thread.sleep(CONSEQUENCE_MILLIS);
      }
      throw new TunerException(failure.exitCode(), failure.message() + " (" + name + ")");
    }
    return frame instanceof Frame.Alive ? null : frame;
  }

  /**
   * Looks after a rank that has not been asked anything yet, while its task is busy.
   *
   * @throws TunerException as {@link #next}
   */
  void checkStarting() {
    try {
      while (!received.isEmpty() || gone) {
        next(0);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AttemptOverException("interrupted");
    }
  }

  /** What the rank does and since how long. */
  Watch.State state() {
    return watch.state();
  }

  /** After {@link Frame.Finished}: the process should end by itself. */
  void awaitExit(TaskSignal signal) throws InterruptedException {
    long end = System.nanoTime() + START_LIMIT.toNanos();
    while (!process.awaitExit(POLL_MILLIS)) {
      signal.check();
      if (System.nanoTime() > end) {
        throw failed("Cannot finish: " + name + " is done but does not exit");
      }
    }
  }

  @Override
  public void close() {
    process.close();
    try {
      channel.close();
    } catch (IOException e) {
      LOG.debug("Closing the socket of {} failed", name, e); // its process is dead
    }
    writer.interrupt();
    joinQuietly(reader);
    joinQuietly(writer);
  }

  private void receive() {
    try {
      while (true) {
        received.add(channel.receive());
      }
    } catch (java.io.EOFException | ClosedChannelException e) {
      LOG.debug("{} closed its connection", name);
    } catch (IOException e) {
      LOG.warn("Lost the connection to {}: {}", name, e.getMessage());
    } finally {
      gone = true;
    }
  }

  private void send() {
    try {
      while (true) {
        channel.send(toSend.take());
      }
    } catch (IOException e) {
      LOG.debug("Cannot send to {}", name, e); // the reader sees the end of the connection
    } catch (RuntimeException e) {
      broken = e;
    } catch (InterruptedException e) {
      // closed
    }
  }

  private static Thread thread(String name, Runnable body) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private static void joinQuietly(Thread thread) {
    try {
      thread.join(TimeUnit.SECONDS.toMillis(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static TunerException failed(String message) {
    return new TunerException(ExitCode.TRAINING_FAILED, message);
  }
}
