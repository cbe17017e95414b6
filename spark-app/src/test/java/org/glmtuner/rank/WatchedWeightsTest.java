package org.glmtuner.rank;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.Frame.Phase;
import org.glmtuner.wire.FrameChannel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class WatchedWeightsTest {
  @TempDir Path directory;

  /** Reads signs of life until one is this. */
  private static void awaitSign(FrameChannel task, Phase phase, long progress) throws IOException {
    Frame wanted = new Frame.Alive(phase, 0, progress);
    Frame sign = task.receive();
    while (!sign.equals(wanted)) {
      sign = task.receive();
    }
  }

  @Test
  void signsOfLifeSayHowFarTheReadingIsAndWhoIsWaitedFor() throws IOException {
    UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("s"));
    try (ServerSocketChannel server =
            ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(address);
        FrameChannel task = new FrameChannel(SocketChannel.open(address));
        FrameChannel rank = new FrameChannel(server.accept())) {
      TaskLink link = new TaskLink(rank);
      WatchedWeights weights = new WatchedWeights(link);
      awaitSign(task, Phase.STARTING, 0);
      weights.waiting(true);
      awaitSign(task, Phase.WAITING_FOR_WEIGHTS, 0);
      weights.waiting(false);
      weights.read(3_000_000_000L);
      weights.read(2);
      awaitSign(task, Phase.STARTING, 3_000_000_002L);
      link.watch(() -> 7);
      awaitSign(task, Phase.STARTING, 7);
      assertThat(directory.resolve("s")).exists();
    }
  }
}
