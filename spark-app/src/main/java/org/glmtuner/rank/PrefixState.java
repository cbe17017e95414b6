package org.glmtuner.rank;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32C;
import org.glmtuner.checkpoint.PrefixFiles;
import org.glmtuner.checkpoint.TrainerState;
import org.glmtuner.model.NormalValues;
import org.glmtuner.model.PrefixEncoder;
import org.glmtuner.optimizer.HfAdamW;
import org.glmtuner.wire.TrainAssignment;

/**
 * All that training changes: the encoder's parameters, their moments, and the count of updates.
 * Equal on all ranks, bit for bit.
 */
final class PrefixState {
  private static final int PIECE_FLOATS = 1 << 18;

  /**
   * A copy that training no longer touches; little-endian FP32 by tensor name. Its memory is
   * libtorch's, not the Java heap's, and is given back by closing it.
   */
  record Copy(
      NDManager memory,
      Map<String, ByteBuffer> parameters,
      Map<String, ByteBuffer> moments,
      long updates)
      implements AutoCloseable {
    @Override
    public void close() {
      memory.close();
    }
  }

  private final PrefixEncoder encoder;
  private final HfAdamW optimizer;

  PrefixState(PrefixEncoder encoder, HfAdamW optimizer) {
    this.encoder = encoder;
    this.optimizer = optimizer;
  }

  /**
   * Takes the state that the assignment names: a checkpoint's, a given prefix, or random values.
   * Collective.
   *
   * @return how far the run is
   */
  TrainerState restore(TrainAssignment assignment, DistributedGroup group) throws IOException {
    TrainerState state = TrainerState.start();
    boolean leads = assignment.membership().rank() == 0;
    if (!assignment.resumeDirectory().isEmpty()) {
      Path directory = Path.of(assignment.resumeDirectory());
      state = TrainerState.read(directory);
      load(directory.resolve(PrefixFiles.PREFIX), encoder.parameters());
      load(directory.resolve(PrefixFiles.OPTIMIZER), optimizer.state());
      optimizer.resume(state.optimizerUpdates());
    } else if (leads && !assignment.prefixFile().isEmpty()) {
      load(Path.of(assignment.prefixFile()), encoder.parameters());
    } else if (leads) {
      NormalValues random = new NormalValues(assignment.seed());
      for (NDArray parameter : encoder.parameters().values()) {
        FloatBuffer values = bytes(parameter).asFloatBuffer();
        while (values.hasRemaining()) {
          values.put(random.take(Math.min(PIECE_FLOATS, values.remaining())));
        }
      }
    }
    if (assignment.resumeDirectory().isEmpty()) {
      encoder.parameters().values().forEach(group::broadcast);
    }
    return state;
  }

  /** A checksum over all values. */
  long checksum() {
    CRC32C crc = new CRC32C();
    encoder.parameters().values().forEach(array -> crc.update(bytes(array)));
    long parameters = crc.getValue();
    crc.reset();
    optimizer.state().values().forEach(array -> crc.update(bytes(array)));
    return parameters << Integer.SIZE | crc.getValue();
  }

  Copy copy() {
    NDManager memory = NDManager.newBaseManager();
    return new Copy(
        memory,
        copyOf(encoder.parameters(), memory),
        copyOf(optimizer.state(), memory),
        optimizer.updates());
  }

  private static Map<String, ByteBuffer> copyOf(Map<String, NDArray> arrays, NDManager memory) {
    Map<String, ByteBuffer> copies = new LinkedHashMap<>();
    arrays.forEach(
        (name, array) -> {
          NDArray copy = array.duplicate();
          copy.attach(memory);
          copies.put(name, bytes(copy));
        });
    return copies;
  }

  /** Fills arrays with the tensors of a file that have their names. */
  static void load(Path file, Map<String, NDArray> arrays) throws IOException {
    for (Map.Entry<String, NDArray> entry : arrays.entrySet()) {
      NDArray array = entry.getValue();
      PrefixFiles.read(
          file, entry.getKey(), bytes(array).asFloatBuffer(), array.getShape().getShape());
    }
  }

  /** The array's own memory: valid while it is, and what is put there is in the array. */
  private static ByteBuffer bytes(NDArray array) {
    return array.toByteBuffer(true).order(ByteOrder.LITTLE_ENDIAN);
  }
}
