package org.glmtuner.rank;

import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.LongSupplier;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.Frame.Phase;
import org.glmtuner.wire.FrameChannel;

/**
 * The rank's conversation with its task. Frames are read as they come, so that the task never
 * blocks on a rank that computes; a sign of life goes out every second whatever the rank's own
 * thread does.
 */
@SuppressWarnings("try") // activities are held, not used
final class TaskLink {
  private static final long SIGN_MILLIS = 1000;
  private static final int LOST_TASK = 10;

  private final FrameChannel channel;
  private final BlockingQueue<Frame> received = new LinkedBlockingQueue<>();
  private volatile Phase phase = Phase.STARTING;
  private volatile long step;
  private volatile LongSupplier progress = () -> 0;

  TaskLink(FrameChannel channel) {
    this.channel = channel;
    daemon("task-reader", this::receive);
    daemon("signs-of-life", this::giveSigns);
  }

  /** The next frame of the task; blocks. */
  Frame next() throws InterruptedException {
    try (Activity waiting = enter(Phase.WAITING_FOR_WORK)) {
      return received.take();
    }
  }

  void send(Frame frame) throws IOException {
    channel.send(frame);
  }

  /**
   * Signs of life say {@code newPhase} from now until the result is closed. For the rank's own
   * thread.
   */
  Activity enter(Phase newPhase) {
    Phase before = phase;
    phase = newPhase;
    return () -> phase = before;
  }

  /** The rank is ready: what it does is computing unless it says otherwise. */
  void started() {
    phase = Phase.COMPUTING;
  }

  /** Something that the rank does for a while. */
  interface Activity extends AutoCloseable {
    @Override
    void close();
  }

  void enterStep(long newStep) {
    step = newStep;
  }

  /** Where signs of life read the work done from. */
  void watch(LongSupplier newProgress) {
    progress = newProgress;
  }

  private void receive() {
    try {
      while (true) {
        received.add(channel.receive());
      }
    } catch (EOFException | ClosedChannelException e) {
      // the task is gone: the life line ends this process
    } catch (IOException | RuntimeException e) {
      giveUp("Cannot understand the task: " + e.getMessage());
    }
  }

  /** Ends the process: without frames it would wait for ever, and with it all other ranks. */
  private void giveUp(String reason) {
    try {
      channel.send(new Frame.Failed(ExitCode.TRAINING_FAILED, reason, ""));
    } catch (IOException e) {
      System.err.println(reason); // the task reads this too
    }
    Runtime.getRuntime().halt(LOST_TASK);
  }

  private void giveSigns() {
    try {
      while (true) {
        channel.send(new Frame.Alive(phase, step, progress.getAsLong()));
        Thread.sleep(SIGN_MILLIS);
      }
    } catch (IOException | InterruptedException e) {
      // the task is gone: the life line ends this process
    }
  }

  private static void daemon(String name, Runnable body) {
    Thread thread = new Thread(body, name);
    thread.setDaemon(true);
    thread.start();
  }
}
