package org.glmtuner.reference;

import static org.glmtuner.reference.GoldenTable.greatestDistance;
import static org.glmtuner.reference.GoldenTable.relativeDistance;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.cluster.GoldenModel;
import org.glmtuner.cluster.GoldenRows;
import org.glmtuner.config.Precision;
import org.glmtuner.data.Sample;
import org.glmtuner.model.PrefixEncoder;
import org.glmtuner.storage.LocalFolder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The oracle's hidden states and logits, which native code keeps to itself, against the official
 * ones: where the two differ, this says from which layer on.
 */
class GoldenForwardTest {
  private static final double TOLERANCE = 1e-5;

  @TempDir Path cache;

  @ParameterizedTest
  @CsvSource({
    "SMALL, case-base", "SMALL, case-p8", "SMALL, case-p8-proj",
    "VOCAB, case-base", "VOCAB, case-p8", "VOCAB, case-p8-proj"
  })
  void hiddenStatesAndLogitsAreTheOfficialOnes(GoldenModel golden, String name) throws Exception {
    Path directory = golden.shared().resolve(name);
    String row = golden + "/" + name + ", oracle";
    try (BothModels models = BothModels.open(golden.model(), Precision.FP32, cache);
        TensorFile file = TensorFile.open(new LocalFolder(directory), "forward.safetensors")) {
      NDManager manager = models.manager();
      List<Sample> batch =
          GoldenRows.samples(golden.directory(), models.config()).subList(0, golden.batch);
      NDArray prefix = null;
      if (!name.equals("case-base")) {
        PrefixEncoder encoder = GoldenCasesTest.encoder(golden, models, name.endsWith("-proj"));
        prefix = encoder.keysAndValues(manager);
      }
      List<NDArray> states = models.oracle().states(batch, prefix, manager);
      for (int i = 0; i < states.size(); i++) {
        NDArray official = array(file, "hidden_" + i, manager);
        GoldenTable.checkDistance(
            row,
            "hidden state " + i,
            relativeDistance(real(states.get(i), batch), real(official, batch)),
            TOLERANCE);
      }
      NDArray last = states.get(states.size() - 1); // [B, S, H]
      long length = last.getShape().get(1);
      NDArray logits = models.oracle().logits(last.reshape(-1, last.getShape().get(2)));
      logits = logits.reshape(batch.size(), length, logits.getShape().get(1)); // [B, S, V]
      if (golden == GoldenModel.SMALL) {
        float[] expected = real(array(file, "logits", manager), batch);
        GoldenTable.checkDistance(
            row, "logits", relativeDistance(real(logits, batch), expected), TOLERANCE);
      } else {
        checkSelected(row, file, batch, logits);
      }
    }
  }

  /** What of the large vocabulary's logits is stored. */
  private static void checkSelected(String row, TensorFile file, List<Sample> batch, NDArray logits)
      throws IOException {
    NDManager manager = logits.getManager();
    int[] positions = integers(file, "logit_positions");
    int[] columns = integers(file, "logit_columns");
    NDArray selected = array(file, "logits_selected", manager);
    NDArray greatest = logits.max(new int[] {2}, true);
    NDArray sums =
        logits.sub(greatest).exp().sum(new int[] {2}, true).log().add(greatest); // [B, S, 1]
    NDArray expectedSums = array(file, "logits_logsumexp", manager).expandDims(2);
    GoldenTable.checkDistance(
        row,
        "logits, log-sum-exp",
        greatestDistance(real(sums, batch), real(expectedSums, batch)),
        1e-4);
    int[] topIds = integers(file, "logits_top5_ids");
    float[] top = file.readFloats("logits_top5_values");
    int width = (int) (long) file.get("logits_top5_ids").shape().get(1);
    double furthest = 0;
    double furthestTop = 0;
    for (int b = 0; b < batch.size(); b++) {
      NDArray own = logits.get(new NDIndex("{}", b));
      for (int p = 0; p < positions.length; p++) {
        if (positions[p] < batch.get(b).length()) {
          float[] line = own.get(new NDIndex("{}", positions[p])).toFloatArray();
          float[] expected = selected.get(new NDIndex("{}, {}", b, p)).toFloatArray();
          for (int c = 0; c < columns.length; c++) {
            furthest = Math.max(furthest, Math.abs(line[columns[c]] - expected[c]));
          }
        }
      }
      for (int t = 0; t < batch.get(b).length(); t++) {
        float[] line = own.get(new NDIndex("{}", t)).toFloatArray();
        for (int k = 0; k < 5; k++) {
          int place = (b * width + t) * 5 + k;
          furthestTop = Math.max(furthestTop, Math.abs(line[topIds[place]] - top[place]));
        }
      }
    }
    GoldenTable.checkDistance(row, "logits, selected", furthest, 1e-4);
    GoldenTable.checkDistance(row, "logits, five greatest", furthestTop, 1e-4);
  }

  /** The elements of real tokens: padding is not computed alike. */
  private static float[] real(NDArray array, List<Sample> batch) {
    try (NDManager scope = array.getManager().newSubManager()) {
      float[][] rows = new float[batch.size()][];
      int total = 0;
      for (int b = 0; b < rows.length; b++) {
        NDArray row = array.get(new NDIndex("{}, :{}", b, batch.get(b).length()));
        row.attach(scope);
        rows[b] = row.toFloatArray();
        total += rows[b].length;
      }
      float[] all = new float[total];
      int done = 0;
      for (float[] row : rows) {
        System.arraycopy(row, 0, all, done, row.length);
        done += row.length;
      }
      return all;
    }
  }

  private static NDArray array(TensorFile file, String name, NDManager manager) throws IOException {
    TensorSpec spec = file.get(name);
    long[] shape = spec.shape().stream().mapToLong(Long::longValue).toArray();
    return manager.create(file.readFloats(name), new Shape(shape));
  }

  private static int[] integers(TensorFile file, String name) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(file.get(name).bytes())).order(ByteOrder.LITTLE_ENDIAN);
    file.readBytes(name, 0, bytes);
    int[] values = new int[bytes.flip().remaining() / Integer.BYTES];
    bytes.asIntBuffer().get(values);
    return values;
  }
}
