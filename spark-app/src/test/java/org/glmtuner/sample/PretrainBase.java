package org.glmtuner.sample;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.optimizer.Adam;
import ai.djl.training.tracker.Tracker;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.glmtuner.checkpoint.DType;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.checkpoint.TorchArchiveWriter;
import org.glmtuner.config.DataConfig.Columns;
import org.glmtuner.config.DataConfig.EmptyHistory;
import org.glmtuner.config.DataConfig.Truncation;
import org.glmtuner.data.CutSample;
import org.glmtuner.data.PromptEncoder;
import org.glmtuner.data.RowOutcome;
import org.glmtuner.data.RowParser;
import org.glmtuner.data.Sample;
import org.glmtuner.data.SampleRules;
import org.glmtuner.data.TrainingRowEncoder;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.ModelShapes;
import org.glmtuner.reference.ReferenceModel;
import org.glmtuner.storage.LocalFolder;
import org.glmtuner.tokenizer.ChatGlmTokenizer;

/**
 * Trains the sample's tiny base from random values and writes it as an official release is written:
 * it learns to tell of every property in the voice that a row asks for, or in many, so that a
 * prefix has something to decide.
 *
 * <p>Usage: {@code PretrainBase MODEL-DIRECTORY STEPS}; the directory holds the tokenizer already.
 */
final class PretrainBase {
  private static final int BATCH = 48;
  private static final float LEARNING_RATE = 1.5e-3f;
  private static final float CLIP_NORM = 1;
  private static final int WARM_UP = 100;
  private static final double INITIAL_DEVIATION = 0.02;

  private PretrainBase() {}

  public static void main(String[] arguments) throws Exception {
    Path directory = Path.of(arguments[0]);
    int steps = Integer.parseInt(arguments[1]);
    LocalFolder folder = new LocalFolder(directory);
    try (ChatGlmTokenizer tokenizer =
            ChatGlmTokenizer.open(folder, Files.createTempDirectory("sentencepiece"));
        NDManager manager = Engine.getEngine("PyTorch").newBaseManager()) {
      ChatGlmConfig config = SampleConfig.of(tokenizer);
      Files.write(directory.resolve(ChatGlmConfig.FILE), config.toJson());
      Map<String, NDArray> weights = initialise(ModelShapes.of(config), manager);
      train(config, weights, samples(tokenizer, config), steps, manager);
      write(directory, weights);
    }
  }

  /** An endless supply of rows to learn from. */
  private interface Samples {
    Sample next() throws IOException;
  }

  private static Samples samples(ChatGlmTokenizer tokenizer, ChatGlmConfig config) {
    SampleRows rows = new SampleRows(3);
    TrainingRowEncoder encoder =
        new TrainingRowEncoder(
            new PromptEncoder(tokenizer::encode, "", EmptyHistory.OFFICIAL, Truncation.OFFICIAL),
            tokenizer::encode,
            config.specialIds(),
            64,
            64);
    RowParser<CutSample> parser =
        RowParser.samples(
            new Columns("content", "summary", "", ""), encoder, SampleRules.of(config));
    return () -> {
      SampleRows.Row row = rows.inAskedVoice();
      String json =
          String.format("{\"content\":\"%s\",\"summary\":\"%s\"}", row.content(), row.summary());
      return ((RowOutcome.Accepted<CutSample>) parser.parse(0, json)).value().sample();
    };
  }

  private static Map<String, NDArray> initialise(Map<String, Shape> shapes, NDManager manager) {
    Random random = new Random(4);
    Map<String, NDArray> weights = new LinkedHashMap<>();
    shapes.forEach(
        (name, shape) -> {
          float[] values = new float[Math.toIntExact(shape.size())];
          for (int i = 0; i < values.length; i++) {
            values[i] =
                shape.dimension() == 2
                    ? (float) (INITIAL_DEVIATION * random.nextGaussian())
                    : name.contains("layernorm.weight") ? 1 : 0;
          }
          NDArray array = manager.create(values, shape);
          array.setRequiresGradient(true);
          weights.put(name, array);
        });
    return weights;
  }

  private static void train(
      ChatGlmConfig config,
      Map<String, NDArray> weights,
      Samples samples,
      int steps,
      NDManager manager)
      throws IOException {
    ReferenceModel model = new ReferenceModel(config, weights);
    Tracker rate =
        number ->
            LEARNING_RATE
                * Math.min((float) number / WARM_UP, 1)
                * (float) (1 + Math.cos(Math.PI * number / steps))
                / 2;
    Adam optimizer = Adam.builder().optLearningRateTracker(rate).build();
    for (int step = 1; step <= steps; step++) {
      List<Sample> batch = new ArrayList<>();
      for (int i = 0; i < BATCH; i++) {
        batch.add(samples.next());
      }
      long labels = batch.stream().mapToInt(Sample::labelCount).sum();
      try (NDManager scope = manager.newSubManager();
          GradientCollector collector = Engine.getInstance().newGradientCollector()) {
        NDArray loss = model.losses(batch, null, scope).sum().div(labels);
        collector.backward(loss);
        Map<String, NDArray> gradients = new LinkedHashMap<>();
        weights.forEach((name, weight) -> gradients.put(name, weight.getGradient()));
        float norm = norm(gradients.values());
        if (!Float.isFinite(norm)) {
          throw new IllegalStateException(
              "Cannot go on: the gradient of step " + step + " is " + norm);
        }
        float clip = Math.min(1, CLIP_NORM / norm);
        gradients.forEach(
            (name, gradient) -> {
              optimizer.update(name, weights.get(name), gradient.muli(clip));
              gradient.set(new NDIndex(":"), 0);
              gradient.close();
            });
        if (step % 50 == 0 || step == 1) {
          System.err.printf(
              "step %d of %d: loss %.4f, gradient norm %.3f%n", step, steps, loss.getFloat(), norm);
        }
      }
    }
  }

  private static float norm(Iterable<NDArray> gradients) {
    double squares = 0;
    for (NDArray gradient : gradients) {
      try (NDArray sum = gradient.square().sum()) {
        squares += sum.getFloat();
      }
    }
    return (float) Math.sqrt(squares);
  }

  /** FP16 matrices, FP32 norms and biases, the output matrix tied to the embedding. */
  private static void write(Path directory, Map<String, NDArray> weights) throws IOException {
    List<TensorSpec> specs =
        weights.entrySet().stream()
            .map(
                entry ->
                    TensorSpec.of(
                        entry.getKey(),
                        entry.getKey().contains("layernorm") ? DType.F32 : DType.F16,
                        entry.getValue().getShape().getShape()))
            .toList();
    Path file = directory.resolve("pytorch_model.bin");
    Files.deleteIfExists(file);
    try (TorchArchiveWriter writer =
        new TorchArchiveWriter(
            FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
            "pytorch_model",
            specs,
            Map.of("lm_head.weight", "transformer.word_embeddings.weight"))) {
      for (TensorSpec spec : specs) {
        writer.append(spec.name(), weights.get(spec.name()).toFloatArray());
      }
      writer.finish();
    }
  }
}
