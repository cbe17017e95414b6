package org.glmtuner.wire;

import com.esotericsoftware.kryo.kryo5.Kryo;
import com.esotericsoftware.kryo.kryo5.KryoException;
import com.esotericsoftware.kryo.kryo5.io.Input;
import com.esotericsoftware.kryo.kryo5.io.Output;
import com.esotericsoftware.kryo.kryo5.serializers.ImmutableCollectionsSerializers;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import org.glmtuner.config.EngineConfig;
import org.glmtuner.config.GenerationConfig;
import org.glmtuner.config.MicroBatchTokens;
import org.glmtuner.config.TrainingConfig;
import org.glmtuner.data.Sample;
import org.glmtuner.failure.ExitCode;
import org.glmtuner.generation.Decoding;
import org.glmtuner.generation.Prompt;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.placement.RankPlacement;

/**
 * Frames over a connected Unix socket. Each is a header (magic, version, length of the body) and
 * one Kryo-encoded record; only the classes listed here can be decoded. One thread may receive
 * while others send.
 */
public final class FrameChannel implements Closeable {
  private static final int MAGIC = 0x474c4d54; // GLMT
  private static final short VERSION = 4;
  private static final int HEADER_BYTES = Integer.BYTES + Short.BYTES + Integer.BYTES;
  private static final int MOST_BYTES = 1 << 28;

  private final SocketChannel socket;
  private final Kryo incoming = kryo();
  private final Kryo outgoing = kryo();
  private final Output buffer = new Output(1 << 12, MOST_BYTES);

  /** Takes ownership of {@code socket}, which must be connected and blocking. */
  public FrameChannel(SocketChannel socket) {
    this.socket = socket;
  }

  /** Blocks until the whole frame is in the socket. */
  public void send(Frame frame) throws IOException {
    synchronized (outgoing) {
      buffer.reset();
      try {
        outgoing.writeClassAndObject(buffer, frame);
      } catch (KryoException | IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "Cannot send a " + frame.getClass().getSimpleName() + " frame: " + e.getMessage(), e);
      }
      ByteBuffer bytes = ByteBuffer.allocate(HEADER_BYTES + buffer.position());
      bytes
          .putInt(MAGIC)
          .putShort(VERSION)
          .putInt(buffer.position())
          .put(buffer.getBuffer(), 0, buffer.position())
          .flip();
      while (bytes.hasRemaining()) {
        socket.write(bytes);
      }
    }
  }

  /**
   * The next frame; blocks.
   *
   * @throws EOFException where the other side is gone
   */
  public Frame receive() throws IOException {
    ByteBuffer header = read(HEADER_BYTES);
    int magic = header.getInt();
    short version = header.getShort();
    int length = header.getInt();
    if (magic != MAGIC || version != VERSION || length < 0 || length > MOST_BYTES) {
      throw new IOException(
          String.format(
              "Cannot read a frame: magic %08x, version %d, %d bytes (expected %08x, version %d, at most %d bytes)",
              magic, version, length, MAGIC, VERSION, MOST_BYTES));
    }
    try {
      return (Frame) incoming.readClassAndObject(new Input(read(length).array()));
    } catch (KryoException | ClassCastException e) {
      throw new IOException("Cannot read a frame of " + length + " bytes: " + e.getMessage(), e);
    }
  }

  private ByteBuffer read(int count) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(count);
    while (bytes.hasRemaining()) {
      if (socket.read(bytes) < 0) {
        throw new EOFException("The other side of the socket is gone");
      }
    }
    return bytes.flip();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  /**
   * The order of registration is part of the format: append, and raise {@link #VERSION} for
   * anything else.
   */
  private static Kryo kryo() {
    Kryo kryo = new Kryo();
    kryo.setRegistrationRequired(true);
    ImmutableCollectionsSerializers.registerSerializers(kryo);
    Class<?>[] classes = {
      int[].class,
      double[].class,
      java.util.ArrayList.class,
      ExitCode.class,
      Sample.class,
      Entry.class,
      BaseModel.class,
      TrainAssignment.class,
      TrainAssignment.Membership.class,
      TrainAssignment.Span.class,
      TrainingConfig.class,
      TrainingConfig.Length.class,
      TrainingConfig.Optimizer.class,
      TrainingConfig.LossAverage.class,
      TrainingConfig.Intervals.class,
      ServeAssignment.class,
      StepReport.class,
      StepReport.Times.class,
      Frame.Phase.class,
      Frame.Train.class,
      Frame.Serve.class,
      Frame.ValidationRows.class,
      Frame.Step.class,
      Frame.End.class,
      Frame.Score.class,
      Frame.Complete.class,
      Frame.Alive.class,
      Frame.Ready.class,
      Frame.StepDone.class,
      Frame.Evaluated.class,
      Frame.Snapshot.class,
      Frame.Replica.class,
      Frame.Scored.class,
      Frame.Completed.class,
      Frame.Failed.class,
      Frame.Finished.class,
      TrainingConfig.Validation.class,
      Frame.EarlyStop.class,
      Prompt.class,
      Decoding.class,
      GenerationConfig.Sampling.class,
      ChatGlmConfig.Prefix.class,
      EngineConfig.Isa.class,
      Frame.MeasureSums.class,
      Frame.SumsMeasured.class,
      MicroBatchTokens.Given.class,
      MicroBatchTokens.Auto.class,
      float[].class,
      Frame.ReadGradient.class,
      Frame.GradientRead.class,
      Frame.Calibrate.class,
      Frame.MeasureRates.class,
      Frame.Calibrated.class,
      RankPlacement.class
    };
    for (Class<?> type : classes) {
      kryo.register(type);
    }
    return kryo;
  }
}
