package org.glmtuner.model;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.glmtuner.checkpoint.ShardPlan;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorFormat;
import org.glmtuner.checkpoint.TensorPass;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.checkpoint.TensorWriter;
import org.glmtuner.storage.Folder;
import org.glmtuner.storage.NewDirectory;

/**
 * Writes a model once more in another format, in as many files as it takes: the same names, types
 * and bits. Tensors on one storage, as the embedding and the output matrix may be, stay on one in
 * torch archives; safetensors files hold the first of them only, as Hugging Face's do.
 */
public final class ModelCopy {
  private static final int MAX_SMALL_FILE = 64 << 20;

  private final OfficialWeights source;
  private final List<TensorSpec> tensors = new ArrayList<>();
  private final Map<String, String> tied = new LinkedHashMap<>();

  private ModelCopy(OfficialWeights source) {
    this.source = source;
    for (String name : source.names()) {
      TensorFile file = source.file(name);
      Optional<TensorSpec> same =
          tensors.stream()
              .filter(other -> file.sharesStorage(name, source.file(other.name()), other.name()))
              .findFirst();
      if (same.isPresent()) {
        tied.put(name, same.get().name());
      } else {
        tensors.add(file.get(name));
      }
    }
  }

  /**
   * Writes the weights and the small files beside them, such as {@code config.json} and the
   * tokenizer. Takes a few MB of memory at any size of model.
   *
   * @param shardBytes of tensors in a file at most, unless one tensor alone has more
   * @return bytes of tensors written
   */
  public static long write(
      OfficialWeights source,
      TensorFormat format,
      long shardBytes,
      NewDirectory target,
      ProgressListener listener)
      throws IOException {
    return new ModelCopy(source).write(format, shardBytes, target, listener);
  }

  private long write(
      TensorFormat format, long shardBytes, NewDirectory target, ProgressListener listener)
      throws IOException {
    ShardPlan plan = ShardPlan.of(format, tensors, shardBytes);
    long total = tensors.stream().mapToLong(TensorSpec::bytes).sum();
    long[] done = {0};
    TensorPass pass =
        new TensorPass(
            bytes -> {
              done[0] += bytes;
              listener.written(done[0], total);
            });
    for (int shard = 0; shard < plan.shards().size(); shard++) {
      List<TensorSpec> content = plan.shards().get(shard);
      String name = plan.fileName(shard);
      try (TensorWriter writer =
          format.writer(target.create(name), name, content, tiedIn(content))) {
        for (TensorSpec tensor : content) {
          pass.read(
              source.file(tensor.name()),
              tensor.name(),
              bytes -> writer.append(tensor.name(), bytes));
        }
        writer.finish();
      }
    }
    copySmallFiles(target);
    if (plan.hasIndex()) {
      target.write(format.indexName(), plan.index(format == TensorFormat.TORCH ? tied : Map.of()));
    }
    return total;
  }

  private Map<String, String> tiedIn(List<TensorSpec> shard) {
    Map<String, String> inShard = new HashMap<>(tied);
    inShard.values().removeIf(name -> shard.stream().noneMatch(spec -> spec.name().equals(name)));
    return inShard;
  }

  private void copySmallFiles(NewDirectory target) throws IOException {
    Folder folder = source.folder();
    for (String name : folder.names()) {
      boolean weights =
          name.endsWith(".bin") || name.endsWith(".safetensors") || name.endsWith(".index.json");
      if (!weights && !name.startsWith(".") && folder.size(name) <= MAX_SMALL_FILE) {
        target.write(name, folder.readAll(name, MAX_SMALL_FILE));
      }
    }
  }
}
