package org.glmtuner.executor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.glmtuner.OwnCache;
import org.glmtuner.config.ConfigLoader;
import org.glmtuner.config.EngineConfig.Isa;
import org.glmtuner.config.Precision;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.data.Sample;
import org.glmtuner.model.ChatGlmConfig;
import org.glmtuner.model.ChatGlmConfig.Prefix;
import org.glmtuner.model.ProgressListener;
import org.glmtuner.model.RandomWeights;
import org.glmtuner.placement.RankPlacement;
import org.glmtuner.wire.BaseModel;
import org.glmtuner.wire.Entry;
import org.glmtuner.wire.Frame;
import org.glmtuner.wire.StepReport;
import org.glmtuner.wire.TrainAssignment;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ranks that are joined by MPI as in a run, but for Spark. */
class LocalRanksIT {
  private static final long SEED = 5;
  private static final int STEPS = 3;

  private static final String MODEL =
      """
      {"model_type": "chatglm", "num_layers": 2, "hidden_size": 256, "num_attention_heads": 4,
       "inner_hidden_size": 1024, "vocab_size": 600, "max_sequence_length": 2048,
       "layernorm_epsilon": 1e-05, "position_encoding_2d": true, "mask_token_id": 500,
       "gmask_token_id": 501, "bos_token_id": 504, "eos_token_id": 505, "pad_token_id": 3}
      """;

  @TempDir static Path directory;

  /** The first rank has more threads. {@code auto} takes AVX512-BF16 or AMX where there are any. */
  @ParameterizedTest
  @CsvSource({"GENERIC, AVX2", "AVX2, AUTO"})
  void replicasStayEqualWhateverTheirThreadsAndInstructions(Isa first, Isa second)
      throws Exception {
    Map<String, String> settings = OwnCache.settings(directory.resolve("cache"));
    settings.put("training.weight-decay", "0.1");
    TunerConfig config = ConfigLoader.load("", "", settings);
    ChatGlmConfig model =
        ChatGlmConfig.parse(MODEL.getBytes(StandardCharsets.UTF_8), ChatGlmConfig.FILE);
    Path weights =
        RandomWeights.provide(
            model, Precision.BF16, SEED, directory.resolve("weights"), ProgressListener.NONE);
    try (LocalRanks ranks =
        LocalRanks.open(config, HostTopology.read(config.cache().path()), 2, 1)) {
      List<Isa> instructions = List.of(first, second);
      for (int rank = 0; rank < 2; rank++) {
        BaseModel base =
            new BaseModel(
                weights.toString(),
                RandomWeights.fingerprint(model, SEED),
                MODEL,
                3 - 2 * rank,
                instructions.get(rank),
                RankPlacement.MAPPED);
        ranks.post(
            rank,
            new Frame.Train(
                new TrainAssignment(
                    ranks.membership(rank),
                    base,
                    new Prefix(24, false),
                    "",
                    "",
                    ranks.snapshots(rank).toString(),
                    config.training(),
                    40,
                    new TrainAssignment.Span(0, STEPS),
                    SEED)));
      }
      List<String> kernels = answers(ranks, Frame.Ready.class).map(Frame.Ready::kernels).toList();
      assumeThat(kernels.get(0)).as("instructions of two kinds").isNotEqualTo(kernels.get(1));
      for (long step = 0; step < STEPS; step++) {
        for (int rank = 0; rank < 2; rank++) {
          ranks.post(rank, new Frame.Step(step, 6, entries(6 * step + 3L * rank)));
        }
        List<StepReport> reports =
            answers(ranks, Frame.StepDone.class).map(Frame.StepDone::report).toList();
        assertThat(reports).allMatch(StepReport::applied);
        assertThat(reports.get(1).gradientNorm()).isEqualTo(reports.get(0).gradientNorm());
        assertThat(reports.get(1).loss()).isEqualTo(reports.get(0).loss());
      }
      List<Long> checksums =
          answers(ranks, Frame.Replica.class).map(Frame.Replica::checksum).toList();
      assertThat(checksums.get(1)).as("%s", kernels).isEqualTo(checksums.get(0));
    }
  }

  private static <F extends Frame> Stream<F> answers(LocalRanks ranks, Class<F> type)
      throws InterruptedException {
    return ranks.answers().stream().map(type::cast);
  }

  /** Of two micro-batches. */
  private static List<Entry> entries(long first) {
    List<Entry> entries = new ArrayList<>();
    for (long index = first; index < first + 3; index++) {
      int seed = 37 * (int) index;
      int[] ids = IntStream.range(0, 20).map(i -> (seed + 101 * i) % 500).toArray();
      ids[7] = 501;
      ids[8] = 504;
      int[] labels = ids.clone();
      Arrays.fill(labels, 0, 8, Sample.IGNORED);
      entries.add(new Entry(index, new Sample(index, ids, labels, 8, 7)));
    }
    return entries;
  }
}
