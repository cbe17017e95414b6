package org.glmtuner.checkpoint;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToLongFunction;

/**
 * Which of a model's tensors go into which file, as Hugging Face's {@code save_pretrained} decides
 * it: in their order, a new file as soon as the next tensor would make the last one too long.
 */
public record ShardPlan(TensorFormat format, List<List<TensorSpec>> shards) {
  private static final Gson JSON =
      new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

  public ShardPlan {
    shards = shards.stream().map(List::copyOf).toList();
  }

  /** Files of at most {@code maxBytes} of tensors, unless one tensor alone is longer. */
  public static ShardPlan of(TensorFormat format, List<TensorSpec> tensors, long maxBytes) {
    return of(format, tensors, maxBytes, TensorSpec::bytes);
  }

  /** As {@link #of(TensorFormat, List, long)}, with tensors counted at other sizes. */
  public static ShardPlan of(
      TensorFormat format,
      List<TensorSpec> tensors,
      long maxBytes,
      ToLongFunction<TensorSpec> size) {
    List<List<TensorSpec>> shards = new ArrayList<>();
    List<TensorSpec> current = new ArrayList<>();
    long bytes = 0;
    for (TensorSpec tensor : tensors) {
      if (!current.isEmpty() && bytes + size.applyAsLong(tensor) > maxBytes) {
        shards.add(current);
        current = new ArrayList<>();
        bytes = 0;
      }
      current.add(tensor);
      bytes += size.applyAsLong(tensor);
    }
    shards.add(current);
    return new ShardPlan(format, shards);
  }

  /** The name of the shard with this index. */
  public String fileName(int shard) {
    return shards.size() == 1 ? format.fileName() : format.shardName(shard + 1, shards.size());
  }

  /** Whether there is an index: one file needs none. */
  public boolean hasIndex() {
    return shards.size() > 1;
  }

  /**
   * The index's content: the file of each tensor.
   *
   * @param tied further names, each of a tensor of the plan
   */
  public byte[] index(Map<String, String> tied) {
    Map<String, String> files = new TreeMap<>();
    long bytes = 0;
    for (int shard = 0; shard < shards.size(); shard++) {
      for (TensorSpec tensor : shards.get(shard)) {
        files.put(tensor.name(), fileName(shard));
        bytes += tensor.bytes();
      }
    }
    tied.forEach((name, target) -> files.put(name, files.get(target)));
    JsonObject metadata = new JsonObject();
    metadata.addProperty("total_size", bytes);
    JsonObject index = new JsonObject();
    index.add("metadata", metadata);
    index.add("weight_map", JSON.toJsonTree(files));
    return (JSON.toJson(index) + "\n").getBytes(StandardCharsets.UTF_8);
  }
}
