package org.glmtuner.rank;

import ai.djl.engine.Engine;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.failure.TunerException;
import org.glmtuner.nativeddp.NativeLibrary;
import org.glmtuner.nativeddp.ProcessControl;
import org.glmtuner.storage.ClaimsFile;
import org.glmtuner.topology.CpuList;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.FrameChannel;

/**
 * Main class of a rank's process.
 *
 * <p>Arguments: the task's Unix socket, the native library, the file in which the rank locks its
 * CPUs, the list of them, the process id of the executor. The process ends when the executor does:
 * its standard input ends then, and the kernel kills it.
 */
public final class RankMain {
  private static final int LOST_PARENT = 9;

  private RankMain() {}

  public static void main(String[] arguments) throws IOException {
    startLifeLine();
    FrameChannel channel =
        new FrameChannel(SocketChannel.open(UnixDomainSocketAddress.of(arguments[0])));
    TaskLink task = new TaskLink(channel);
    int status = 0;
    try {
      Engine.getEngine(
          "PyTorch"); // first: our library is linked against the libtorch that DJL loads
      NativeLibrary.load(Path.of(arguments[1]));
      ProcessControl.dieWithParent(Long.parseLong(arguments[4]));
      lockCpus(ClaimsFile.of(Path.of(arguments[2])), CpuList.parse(arguments[3]));
      Frame first = task.next();
      if (first instanceof Frame.Train train) {
        new Trainer(train.assignment(), task).run();
      } else if (first instanceof Frame.Serve serve) {
        new Server(serve.assignment(), task).run();
      } else if (first instanceof Frame.MeasureSums measure) {
        new SumMeasurement(measure, task).run();
      } else if (first instanceof Frame.Calibrate calibrate) {
        new RateMeasurement(calibrate, task).run();
      } else {
        throw new IllegalStateException("Invalid first frame: " + first);
      }
      task.send(new Frame.Finished());
    } catch (TunerException e) {
      status = fail(task, e.exitCode(), e.getMessage(), "");
    } catch (Throwable e) {
      StringWriter trace = new StringWriter(); // not foreseen: needed to mend it
      e.printStackTrace(new PrintWriter(trace));
      status = fail(task, ExitCode.TRAINING_FAILED, "Cannot go on: " + e, trace.toString());
    }
    System.exit(status);
  }

  private static int fail(TaskLink task, ExitCode code, String message, String stackTrace)
      throws IOException {
    task.send(new Frame.Failed(code, message, stackTrace));
    return 1;
  }

  /** Ends the process when the task, which never writes to this pipe, is gone. */
  private static void startLifeLine() {
    Thread lifeLine =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) {
                  // nothing is ever said
                }
              } catch (IOException e) {
                // as good as the end of the stream
              }
              Runtime.getRuntime().halt(LOST_PARENT);
            },
            "life-line");
    lifeLine.setDaemon(true);
    lifeLine.start();
  }

  /** So that the next task does not take them before this process is gone. */
  private static void lockCpus(ClaimsFile claims, List<Integer> cpus) {
    for (int cpu : cpus) {
      if (claims.tryLockForRank(cpu) == null) {
        throw new TunerException(
            ExitCode.TRAINING_FAILED,
            "Cannot start a rank: CPU " + cpu + " is in use by another rank");
      }
    }
  }
}
