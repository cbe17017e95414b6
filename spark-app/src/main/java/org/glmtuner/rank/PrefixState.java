package org.glmtuner.rank;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.glmtuner.checkpoint.PrefixFiles;
import org.glmtuner.checkpoint.TrainerState;
import org.glmtuner.model.ArrayMemory;
import org.glmtuner.model.PrefixEncoder;
import org.glmtuner.optimizer.HfAdamW;
import org.glmtuner.wire.TrainAssignment;

/**
 * All that training changes: the encoder's parameters, their moments, and the count of updates.
 * Equal on all ranks, bit for bit.
 */
final class PrefixState {
  /**
   * A copy that training no longer touches; little-endian FP32 by tensor name, in the layout of
   * checkpoints. Its memory is libtorch's, not the Java heap's, and is given back by closing it.
   */
  record Copy(
      NDManager memory,
      Map<String, List<ByteBuffer>> parameters,
      Map<String, List<ByteBuffer>> moments,
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
      load(directory.resolve(PrefixFiles.PREFIX), encoder, encoder.parameters());
      load(directory.resolve(PrefixFiles.OPTIMIZER), encoder, optimizer.state());
      optimizer.resume(state.optimizerUpdates());
    } else if (leads && !assignment.prefixFile().isEmpty()) {
      load(Path.of(assignment.prefixFile()), encoder, encoder.parameters());
    } else if (leads) {
      encoder.initialise(assignment.seed());
    }
    if (assignment.resumeDirectory().isEmpty()) {
      encoder.parameters().values().forEach(group::broadcast);
    }
    return state;
  }

  /** A checksum over all values, in the layout of the encoder. */
  long checksum() {
    return checksum(encoder.parameters()) << Integer.SIZE | checksum(optimizer.state());
  }

  private static long checksum(Map<String, NDArray> arrays) {
    CRC32C crc = new CRC32C();
    arrays.values().forEach(array -> ArrayMemory.pieces(array).forEach(crc::update));
    return crc.getValue();
  }

  Copy copy() {
    NDManager memory = NDManager.newBaseManager();
    return new Copy(
        memory,
        copyOf(encoder.parameters(), memory),
        copyOf(optimizer.state(), memory),
        optimizer.updates());
  }

  private Map<String, List<ByteBuffer>> copyOf(Map<String, NDArray> arrays, NDManager memory) {
    Map<String, List<ByteBuffer>> copies = new LinkedHashMap<>();
    arrays.forEach(
        (name, array) -> copies.put(name, ArrayMemory.pieces(encoder.official(array, memory))));
    return copies;
  }

  /**
   * Fills arrays with the tensors of a file that have their names.
   *
   * @param arrays parameters of the encoder or what has their layout
   */
  static void load(Path file, PrefixEncoder encoder, Map<String, NDArray> arrays)
      throws IOException {
    for (Map.Entry<String, NDArray> entry : arrays.entrySet()) {
      encoder.fill(
          entry.getValue(),
          official ->
              PrefixFiles.read(
                  file,
                  entry.getKey(),
                  ArrayMemory.pieces(official),
                  official.getShape().getShape()));
    }
  }
}
