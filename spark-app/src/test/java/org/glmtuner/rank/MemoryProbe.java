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
import org.glmtuner.generation.SequenceModel;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.FrozenTransformer;
import org.glmtuner.model.PrefixEncoder;
import org.glmtuner.nativeddp.NativeLibrary;
import org.glmtuner.nativeddp.PrefixDropout;
import org.glmtuner.nativeddp.WeightListener;
import org.glmtuner.optimizer.HfAdamW;
import org.glmtuner.placement.RankPlacement;
import org.glmtuner.wire.BaseModel;
import org.glmtuner.wire.Entry;

/**
 * A process that does what a rank does, without a group, and prints how many bytes it has for
 * itself: in a step, and in a step while a checkpoint is written.
 *
 * <p>Usage: {@code MemoryProbe LIBRARY WEIGHT-FILE CONFIG PREFIX-LENGTH PROJECTION SAMPLE-LENGTH
 * SAMPLES DOES}. With AVX2: its packed operands are the largest. With {@code serve} for DOES
 * instead of {@code train}, the samples are sequences that it holds, and the one number is what it
 * has then.
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
    int length = Integer.parseInt(arguments[5]);
    int samples = Integer.parseInt(arguments[6]);
    try (NDManager manager = NDManager.newBaseManager();
        FrozenTransformer transformer = FrozenTransformer.open(base, config, WeightListener.NONE);
        PrefixEncoder encoder = PrefixEncoder.create(manager, config, prefix)) {
      encoder.initialise(1);
      if (arguments[7].equals("serve")) {
        serve(transformer.sequences(encoder.keysAndValues(manager)), config, length, samples);
      } else {
        train(transformer, encoder, manager, entries(length, samples));
      }
    }
  }

  private static void serve(SequenceModel model, ChatGlmConfig config, int length, int sequences)
      throws IOException {
    int[] prompt = new int[length - 1];
    Arrays.fill(prompt, 5);
    prompt[prompt.length - 2] = config.specialIds().gmask();
    prompt[prompt.length - 1] = config.specialIds().sop();
    float[] logits = new float[model.vocabulary()];
    for (int index = 0; index < sequences; index++) {
      model.begin(index, prompt, 1);
      model.run(new int[] {index}, logits);
      model.append(index, 5);
      model.run(new int[] {index}, logits);
    }
    System.out.println(ResidentMemory.withoutWeights(Path.of("/proc/self")));
  }

  private static void train(
      FrozenTransformer transformer, PrefixEncoder encoder, NDManager manager, List<Entry> entries)
      throws IOException {
    try (HfAdamW optimizer =
        new HfAdamW(manager, encoder.parameters(), new TrainingConfig.Optimizer(0.02, 0, 1), 1)) {
      NDArray gradient = manager.zeros(encoder.boundary());
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
