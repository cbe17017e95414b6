package org.glmtuner.rank;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.glmtuner.ResidentMemory;
import org.glmtuner.config.EngineConfig;
import org.glmtuner.config.TrainingConfig;
import org.glmtuner.data.Sample;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.FrozenTransformer;
import org.glmtuner.model.PrefixEncoder;
import org.glmtuner.nativeddp.NativeLibrary;
import org.glmtuner.nativeddp.PrefixDropout;
import org.glmtuner.optimizer.HfAdamW;
import org.glmtuner.placement.RankPlacement;
import org.glmtuner.wire.BaseModel;
import org.glmtuner.wire.Entry;

/**
 * A process that does what a rank does, without a group, and prints how many bytes it has for
 * itself: in a step, and in a step while a checkpoint is written.
 *
 * <p>Usage: {@code MemoryProbe LIBRARY WEIGHT-FILE CONFIG PREFIX-LENGTH PROJECTION SAMPLE-LENGTH
 * SAMPLES}. With AVX2: its packed operands are the largest.
 */
public final class MemoryProbe {
  private MemoryProbe() {}

  public static void main(String[] arguments) throws IOException {
    Engine.getEngine("PyTorch");
    NativeLibrary.load(Path.of(arguments[0]));
    ChatGlmConfig config =
        ChatGlmConfig.parse(Files.readAllBytes(Path.of(arguments[2])), ChatGlmConfig.FILE);
    ChatGlmConfig.Prefix prefix =
        new ChatGlmConfig.Prefix(
            Integer.parseInt(arguments[3]), Boolean.parseBoolean(arguments[4]));
    BaseModel base =
        new BaseModel(
            arguments[1],
            "",
            Files.readString(Path.of(arguments[2])),
            1,
            EngineConfig.Isa.AVX2,
            RankPlacement.MAPPED);
    List<Entry> entries = entries(Integer.parseInt(arguments[5]), Integer.parseInt(arguments[6]));
    try (NDManager manager = NDManager.newBaseManager();
        FrozenTransformer transformer = FrozenTransformer.open(base, config);
        PrefixEncoder encoder = PrefixEncoder.create(manager, config, prefix);
        HfAdamW optimizer =
            new HfAdamW(
                manager, encoder.parameters(), new TrainingConfig.Optimizer(0.02, 0, 1), 1)) {
      NDArray gradient = manager.zeros(encoder.boundary());
      encoder.initialise(1);
      step(transformer, encoder, optimizer, entries, gradient);
      PrefixState.Copy copy = new PrefixState(encoder, optimizer).copy();
      step(transformer, encoder, optimizer, entries, gradient);
      copy.close();
    }
  }

  private static void step(
      FrozenTransformer transformer,
      PrefixEncoder encoder,
      HfAdamW optimizer,
      List<Entry> entries,
      NDArray gradient)
      throws IOException {
    try (NDManager scope = gradient.getManager().newSubManager()) {
      NDArray keysAndValues = encoder.keysAndValues(scope);
      transformer.forwardBackward(
          entries,
          TrainingConfig.LossAverage.SAMPLE,
          keysAndValues,
          new PrefixDropout(0.1, 1),
          gradient,
          null);
      Map<String, NDArray> gradients = encoder.gradients(gradient);
      double norm = optimizer.norm(gradients.values(), 1);
      optimizer.step(gradients, 1, norm, 0.01);
      System.out.println(ResidentMemory.withoutWeights(Path.of("/proc/self")));
      gradients.values().forEach(NDArray::close);
    }
  }

  private static List<Entry> entries(int length, int count) {
    int[] ids = new int[length + 1];
    Arrays.fill(ids, 5);
    int[] labels = ids.clone();
    Arrays.fill(labels, 0, 3, Sample.IGNORED);
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      entries.add(new Entry(i, new Sample(i, ids, labels, 2, 1)));
    }
    return entries;
  }
}
