package org.glmtuner.rank;

import ai.djl.ndarray.NDArray;
import java.io.IOException;
import java.nio.ByteBuffer;
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

  /** A copy that training no longer touches; little-endian FP32 by tensor name. */
  record Copy(Map<String, ByteBuffer> parameters, Map<String, ByteBuffer> moments, long updates) {}

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
        parameter.set(FloatBuffer.wrap(random.take(Math.toIntExact(parameter.size()))));
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
    encoder.parameters().values().forEach(array -> crc.update(array.toByteBuffer()));
    long parameters = crc.getValue();
    crc.reset();
    optimizer.state().values().forEach(array -> crc.update(array.toByteBuffer()));
    return parameters << Integer.SIZE | crc.getValue();
  }

  Copy copy() {
    return new Copy(copyOf(encoder.parameters()), copyOf(optimizer.state()), optimizer.updates());
  }

  private static Map<String, ByteBuffer> copyOf(Map<String, NDArray> arrays) {
    Map<String, ByteBuffer> copies = new LinkedHashMap<>();
    arrays.forEach((name, array) -> copies.put(name, array.toByteBuffer()));
    return copies;
  }

  /** Fills arrays with the tensors of a file that have their names. */
  static void load(Path file, Map<String, NDArray> arrays) throws IOException {
    for (Map.Entry<String, NDArray> entry : arrays.entrySet()) {
      float[] values =
          PrefixFiles.read(file, entry.getKey(), entry.getValue().getShape().getShape());
      entry.getValue().set(FloatBuffer.wrap(values));
    }
  }
}
