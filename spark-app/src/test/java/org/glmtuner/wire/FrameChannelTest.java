package org.glmtuner.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.EngineConfig;
import org.glmtuner.data.Sample;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.generation.Decoding;
import org.glmtuner.generation.Prompt;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.placement.RankPlacement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FrameChannelTest {
  @TempDir Path directory;
  private SocketChannel raw;
  private FrameChannel task;
  private FrameChannel rank;

  @BeforeEach
  void connect() throws IOException {
    UnixDomainSocketAddress address = UnixDomainSocketAddress.of(directory.resolve("s"));
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(address);
      raw = SocketChannel.open(address);
      task = new FrameChannel(raw);
      rank = new FrameChannel(server.accept());
    }
  }

  @AfterEach
  void close() throws IOException {
    task.close();
    rank.close();
  }

  static Stream<Frame> frames() {
    Sample sample =
        new Sample(7, new int[] {5, 101, 104, 11, 105}, new int[] {-100, -100, 104, 11, 105}, 2, 1);
    BaseModel base =
        new BaseModel(
            "/weights",
            "abc",
            "{}",
            2,
            EngineConfig.Isa.AVX2,
            new RankPlacement(List.of(8, 9), true, 8, true, true));
    return Stream.of(
        new Frame.Train(
            new TrainAssignment(
                new TrainAssignment.Membership(1, 2, "/libmpi.so.12", "/tmp/pmi"),
                base,
                new ChatGlmConfig.Prefix(8, true),
                "",
                "/resume",
                "/snapshots",
                ConfigLoader.load("", "", Map.of()).training(),
                512,
                new TrainAssignment.Span(3, 20),
                42)),
        new Frame.Serve(new ServeAssignment(base, "/prefix")),
        new Frame.MeasureSums(
            new TrainAssignment.Membership(0, 2, "/libmpi.so.12", "/tmp/pmi"),
            new int[] {28, 2, 128, 4096},
            5),
        new Frame.SumsMeasured(0.1, new double[] {0.25, 0.5}, new double[] {1e-5}),
        new Frame.Calibrate(8, EngineConfig.Isa.AMX),
        new Frame.MeasureRates(0.5),
        new Frame.Calibrated(1e12, 5e10, List.of("amx: this CPU lacks AMX-TILE or AMX-BF16")),
        new Frame.ValidationRows(List.of(sample)),
        new Frame.Step(3, 4, new ArrayList<>(List.of(new Entry(12, sample)))),
        new Frame.Step(4, 4, List.of()),
        new Frame.ReadGradient(3),
        new Frame.GradientRead(new float[] {0.25f, -1, Float.POSITIVE_INFINITY}),
        new Frame.End(),
        new Frame.Score(List.of(sample, sample), true),
        new Frame.Complete(
            List.of(new Prompt(3, new int[] {5, 101, 104})),
            new Decoding(ConfigLoader.load("", "", Map.of()).generation().sampling(), 24, 8, 1024),
            false),
        new Frame.Alive(Frame.Phase.COMPUTING, 3, 17),
        new Frame.Ready("mpi", "MPICH 5.0.2", "avx2/bf16", new int[] {0, 1}, "weights mapped"),
        new Frame.StepDone(
            new StepReport(
                3, 2.5, 1, 0.02, 4, 400, false, new StepReport.Times(1, 0.125, 0.75, 0.5, 0.25)),
            List.of(7L)),
        new Frame.Evaluated(0, false, 2.5),
        new Frame.EarlyStop(20, 3),
        new Frame.Snapshot(20, "/snapshots/20"),
        new Frame.Replica(20, 0x1234567890L),
        new Frame.Scored(new double[] {1.5, Double.POSITIVE_INFINITY}),
        new Frame.Completed(List.of(new int[] {1, 2}, new int[0])),
        new Frame.Failed(ExitCode.DIVERGED, "Cannot go on", "at a.b.C"),
        new Frame.Finished());
  }

  @ParameterizedTest
  @MethodSource("frames")
  void everyKindOfFrameArrivesAsItWasSent(Frame frame) throws IOException {
    task.send(frame);
    assertThat(rank.receive()).usingRecursiveComparison().isEqualTo(frame);
  }

  @Test
  void everyKindOfFrameIsCovered() {
    assertThat(frames().map(Object::getClass).distinct().toList())
        .containsExactlyInAnyOrder(Frame.class.getPermittedSubclasses());
  }

  @Test
  void aLossThatIsNotANumberStaysOne() throws IOException {
    task.send(new Frame.Evaluated(0, true, Double.NaN));
    assertThat(((Frame.Evaluated) rank.receive()).loss()).isNaN();
  }

  @Test
  void theEndOfTheOtherSideIsToldFromDamage() throws IOException {
    task.close();
    assertThatThrownBy(() -> rank.receive()).isInstanceOf(EOFException.class);
  }

  @Test
  void anotherVersionIsRefused() throws IOException {
    raw.write(ByteBuffer.allocate(10).putInt(0x474c4d54).putShort((short) 9).putInt(0).flip());
    assertThatThrownBy(() -> rank.receive())
        .isInstanceOf(IOException.class)
        .hasMessageContaining("version 9");
  }

  @Test
  void garbageIsRefused() throws IOException {
    raw.write(
        ByteBuffer.wrap(
            "GET / HTTP/1.1\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
    assertThatThrownBy(() -> rank.receive())
        .isInstanceOf(IOException.class)
        .hasMessageContaining("Cannot read a frame");
  }

  @Test
  void aBodyThatIsNoFrameIsRefused() throws IOException {
    raw.write(
        ByteBuffer.allocate(14).putInt(0x474c4d54).putShort((short) 2).putInt(4).putInt(-1).flip());
    assertThatThrownBy(() -> rank.receive())
        .isInstanceOf(IOException.class)
        .hasMessageContaining("Cannot read a frame");
  }
}
