package org.glmtuner.cli;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.glmtuner.checkpoint.PrefixCopy.Form;
import org.glmtuner.checkpoint.TensorFormat;
import org.glmtuner.config.Precision;
import org.glmtuner.config.TunerConfig;
import org.glmtuner.conversion.Conversion;
import org.glmtuner.conversion.Conversion.Target;
import org.glmtuner.conversion.ModelConversion;
import org.glmtuner.conversion.PrefixConversion;
import org.glmtuner.failure.TunerException;
import org.glmtuner.inspection.Holding;
import org.glmtuner.report.ByteProgress;
import org.glmtuner.storage.Directory;
import org.glmtuner.storage.Folder;
import org.glmtuner.storage.SourcePath;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code convert}: weights and prefixes from one form into another. */
@Command(
    name = "convert",
    description = {
      "Converts a model (official shards or safetensors) into the weight file that ranks map, or into the other format's",
      "files; and a prefix (official, ours, safetensors) into any other form. Values stay as they are, but for the weight",
      "file's rounding to --precision. Nothing is overwritten; nothing incomplete appears under the output's name."
    },
    mixinStandardHelpOptions = true)
final class ConvertCommand implements Callable<Integer> {
  @ParentCommand private Main main;
  @Mixin private ConfigOptions options;

  @Parameters(
      paramLabel = "SOURCE",
      arity = "0..1",
      description =
          "A model's or checkpoint's directory, or a file with a prefix; a local path or a Hadoop URI. Without it, model.path.")
  private String source = "";

  @Option(
      names = "--to",
      paramLabel = "FORM",
      description = {
        "weights (a model's default), official, or safetensors.",
        "A prefix without --to: pytorch_model.bin and prefix.safetensors, as our checkpoints have them."
      })
  private Target target;

  @Option(
      names = "--output",
      paramLabel = "PATH",
      description = {
        "The file (weights) or directory to make; a local path or, for a directory, a Hadoop URI.",
        "Without it the weight file is made in cache.directory, where training finds it."
      })
  private String output = "";

  @Option(
      names = "--precision",
      paramLabel = "PRECISION",
      description = "Of the weight file's matrices: bf16 or fp32. Without it, model.precision.")
  private Precision precision;

  @Option(
      names = "--shard-bytes",
      paramLabel = "BYTES",
      description = "Of tensors in one file at most (default: ${DEFAULT-VALUE}).")
  private long shardBytes = 2_000_000_000;

  @Override
  public Integer call() throws Exception {
    TunerConfig config = options.load();
    return main.withoutSpark("convert", () -> convert(config));
  }

  private int convert(TunerConfig config) throws IOException, InterruptedException {
    long start = System.nanoTime();
    Conversion result;
    try (ByteProgress progress =
        ByteProgress.onStandardError("converting", main.cancellation()::isCancelled)) {
      result = convert(config, progress);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    JsonObject line = new JsonObject();
    line.addProperty("status", "finished");
    line.addProperty("holds", result.holds());
    if (!result.release().isEmpty()) {
      line.addProperty("release", result.release());
    }
    line.addProperty("source_bytes", result.sourceBytes());
    line.addProperty("bytes", result.bytes());
    line.addProperty("seconds", seconds);
    line.addProperty("mb_per_second", result.bytes() / seconds / 1e6);
    line.addProperty("peak_memory_bytes", peakMemory());
    line.addProperty("output", result.output());
    System.out.println(line);
    return 0;
  }

  /** Of this process, by Linux: what it had in memory at most, code and mapped files included. */
  private static long peakMemory() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("VmHWM:"))
        .mapToLong(line -> 1024 * Long.parseLong(line.replaceAll("\\D+", "")))
        .findFirst()
        .orElse(0);
  }

  private Conversion convert(TunerConfig config, ByteProgress progress)
      throws IOException, InterruptedException {
    SourcePath path = source.isEmpty() ? SourcePath.of(modelPath(config)) : SourcePath.find(source);
    Holding holding = Holding.of(path);
    return switch (holding) {
      case MODEL -> model(path, config, progress);
      case PREFIX -> prefix(path, config, progress);
      case RUN -> throw refused(path, "it is a run's directory: name one of the checkpoints in it");
      case WEIGHT_FILE ->
          throw refused(path, "it is a weight file: convert the official weights it was made of");
      case TENSORS -> throw refused(path, "it holds neither a model nor a prefix");
    };
  }

  private static Directory modelPath(TunerConfig config) throws IOException {
    if (config.model().path().isEmpty()) {
      throw TunerException.invalid(
          "Invalid arguments: there is nothing to convert (SOURCE, or model.path)");
    }
    return Directory.ofConfigured(config.model().path());
  }

  private static TunerException refused(SourcePath path, String reason) {
    return TunerException.invalid("Cannot convert " + path.location() + ": " + reason);
  }

  private Conversion model(SourcePath path, TunerConfig config, ByteProgress progress)
      throws IOException, InterruptedException {
    if (path.file().isPresent()) {
      throw refused(path, "it is one file of a model: name the directory with config.json");
    }
    try (ModelConversion conversion = new ModelConversion(path.folder(), progress)) {
      if (target == Target.OFFICIAL || target == Target.SAFETENSORS) {
        TensorFormat format =
            target == Target.OFFICIAL ? TensorFormat.TORCH : TensorFormat.SAFETENSORS;
        return conversion.toFormat(format, output(), shardBytes);
      }
      Precision wanted = precision == null ? config.model().precision() : precision;
      return output.isEmpty()
          ? conversion.toCache(config.cache().path(), wanted)
          : conversion.toWeightFile(output, wanted);
    }
  }

  private Conversion prefix(SourcePath path, TunerConfig config, ByteProgress progress)
      throws IOException {
    if (target == Target.WEIGHTS) {
      throw refused(path, "it holds a prefix, and a weight file is made of a model");
    }
    EnumSet<Form> forms =
        target == null
            ? EnumSet.allOf(Form.class)
            : EnumSet.of(target == Target.OFFICIAL ? Form.OFFICIAL : Form.SAFETENSORS);
    Optional<Folder> base =
        config.model().path().isEmpty() ? Optional.empty() : Optional.of(modelPath(config));
    return PrefixConversion.convert(
        path.folder(), Holding.weights(path), forms, base, output(), progress);
  }

  private String output() {
    if (output.isEmpty()) {
      throw TunerException.invalid("Invalid arguments: --output is missing");
    }
    return output;
  }
}
