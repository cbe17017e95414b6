package org.glmtuner.model;

import com.google.gson.JsonElement;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import org.glmtuner.checkpoint.TensorFile;
import org.glmtuner.checkpoint.TensorSpec;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Folder;

/**
 * A directory with a ChatGLM-6B as it is published: {@code config.json} and the weights, in one
 * file or in shards with an index, as safetensors or as torch archives. Everything that is needed
 * is there with the right shape when {@link #open} returns.
 *
 * <p>Prefix encoders and rotary frequencies in it are passed over; any other tensor without a place
 * in the model is refused, since ignoring it would compute another model. Not for several threads
 * at a time.
 */
public final class OfficialWeights implements Closeable {
  private static final String INDEX_SUFFIX = ".index.json";

  /** In order of preference. */
  private static final List<String> ENTRY_FILES =
      List.of(
          "model.safetensors",
          "model.safetensors" + INDEX_SUFFIX,
          "pytorch_model.bin" + INDEX_SUFFIX,
          "pytorch_model.bin");

  private static final int MAX_INDEX_BYTES = 16 << 20;

  private final Folder folder;
  private final ChatGlmConfig config;
  private final String entryFile;
  private final Map<String, TensorFile> files = new TreeMap<>();
  private final Map<String, TensorFile> tensors = new HashMap<>();
  private final Collection<PublishedFile> published;
  private String fingerprint = "";
  private Optional<ReleaseDigests> digests = Optional.empty();

  private OfficialWeights(
      Folder folder, ChatGlmConfig config, String entryFile, Collection<PublishedFile> published) {
    this.published = published;
    this.folder = folder;
    this.config = config;
    this.entryFile = entryFile;
  }

  /**
   * Opens the directory; the caller closes what it gets.
   *
   * @throws TunerException if anything is missing, damaged or of another model
   */
  public static OfficialWeights open(Folder folder) throws IOException {
    return open(folder, PublishedFile.all());
  }

  static OfficialWeights open(Folder folder, Collection<PublishedFile> published)
      throws IOException {
    ChatGlmConfig config = ChatGlmConfig.read(folder);
    String entryFile = null;
    for (String name : ENTRY_FILES) {
      if (entryFile == null && folder.contains(name)) {
        entryFile = name;
      }
    }
    if (entryFile == null) {
      throw TunerException.damaged(
          "Cannot read the weights in "
              + folder.location()
              + ": there is none of "
              + String.join(", ", ENTRY_FILES));
    }
    OfficialWeights weights = new OfficialWeights(folder, config, entryFile, published);
    try {
      if (entryFile.endsWith(INDEX_SUFFIX)) {
        weights.openShards();
      } else {
        TensorFile file = weights.openFile(entryFile);
        file.tensors().forEach(tensor -> weights.tensors.put(tensor.name(), file));
      }
      new WeightCheck(weights, weights.tensors).run();
      return weights;
    } catch (IOException | RuntimeException | Error e) {
      try {
        weights.close();
      } catch (IOException closing) {
        e.addSuppressed(closing);
      }
      throw e;
    }
  }

  private void openShards() throws IOException {
    String index = folder.locate(entryFile);
    for (Map.Entry<String, String> entry : weightMap(index).entrySet()) {
      String shard = entry.getValue();
      if (shard.isEmpty() || shard.startsWith(".") || shard.contains("/")) {
        throw TunerException.damaged(
            "Cannot read " + index + ": it names the shard " + shard + " (a plain file name)");
      }
      if (!folder.contains(shard)) {
        throw TunerException.damaged(
            "Cannot read "
                + folder.locate(shard)
                + ": there is no such file, but "
                + entryFile
                + " says that it holds "
                + entry.getKey());
      }
      TensorFile file = openFile(shard);
      if (file.find(entry.getKey()).isEmpty()) {
        throw TunerException.damaged(
            "Cannot read "
                + file.location()
                + ": it has no tensor "
                + entry.getKey()
                + ", which "
                + entryFile
                + " says it holds");
      }
      tensors.put(entry.getKey(), file);
    }
  }

  private Map<String, String> weightMap(String index) throws IOException {
    ConfigJson json = new ConfigJson(folder.readAll(entryFile, MAX_INDEX_BYTES), index);
    Map<String, String> shards = new LinkedHashMap<>();
    if (!json.has("weight_map") || !json.content().get("weight_map").isJsonObject()) {
      throw TunerException.damaged("Cannot read " + index + ": it has no object weight_map");
    }
    for (Map.Entry<String, JsonElement> entry :
        json.content().getAsJsonObject("weight_map").entrySet()) {
      if (!entry.getValue().isJsonPrimitive()) {
        throw TunerException.damaged(
            "Invalid shard of "
                + entry.getKey()
                + " in "
                + index
                + ": "
                + entry.getValue()
                + " (a file name)");
      }
      shards.put(entry.getKey(), entry.getValue().getAsString());
    }
    return shards;
  }

  private TensorFile openFile(String name) throws IOException {
    TensorFile file = files.get(name);
    if (file == null) {
      file = TensorFile.open(folder, name);
      files.put(name, file);
    }
    return file;
  }

  public ChatGlmConfig config() {
    return config;
  }

  /** The directory, as messages show it. */
  public String location() {
    return folder.location();
  }

  /**
   * The file that holds the tensor, which stays owned by this object.
   *
   * @throws TunerException if no file has it
   */
  TensorFile file(String name) {
    TensorFile file = tensors.get(name);
    if (file == null) {
      throw TunerException.damaged(
          "Cannot read the weights in "
              + folder.location()
              + ": "
              + entryFile
              + " has no tensor "
              + name);
    }
    return file;
  }

  /** The names of all tensors, file by file, each file's in its own order. */
  List<String> names() {
    return files.values().stream()
        .flatMap(
            file ->
                file.tensors().stream()
                    .map(TensorSpec::name)
                    .filter(name -> tensors.get(name) == file))
        .toList();
  }

  /** The directory. */
  Folder folder() {
    return folder;
  }

  /** All files with weights, in the order of their names; they stay owned by this object. */
  public Collection<TensorFile> files() {
    return Collections.unmodifiableCollection(files.values());
  }

  /** Bytes of all files with weights. */
  public long bytes() throws IOException {
    long bytes = 0;
    for (String name : files.keySet()) {
      bytes += folder.size(name);
    }
    return bytes;
  }

  /** The output matrix's file, if it is stored at all. */
  Optional<TensorFile> headFile() {
    return Optional.ofNullable(tensors.get(ModelTensor.HEAD));
  }

  /** Identifies the model: see {@link ModelFingerprint}. Takes a few reads per file, once. */
  public String fingerprint() throws IOException {
    if (fingerprint.isEmpty()) {
      List<String> whole = new ArrayList<>(List.of(ChatGlmConfig.FILE));
      if (!files.containsKey(entryFile)) {
        whole.add(entryFile);
      }
      fingerprint = ModelFingerprint.of(folder, whole, files.keySet());
    }
    return fingerprint;
  }

  /**
   * The published release that all the weights are of, if they are; read once, those files only
   * that have a published one's name and length.
   *
   * @param progress hears of each piece how many bytes it had
   * @throws TunerException (exit code 6) where only some of the files are of a release, or of
   *     several ones
   */
  public Optional<String> release(LongConsumer progress) throws IOException {
    if (digests.isEmpty()) {
      digests = Optional.of(ReleaseDigests.of(folder, files.keySet(), published, progress));
    }
    digests
        .get()
        .mixture()
        .ifPresent(
            sentence -> {
              throw TunerException.damaged(
                  "Cannot use the weights in " + location() + ": " + sentence);
            });
    return digests.get().release();
  }

  @Override
  public void close() throws IOException {
    IOException failure = null;
    for (TensorFile file : files.values()) {
      try {
        file.close();
      } catch (IOException e) {
        if (failure == null) {
          failure = e;
        } else {
          failure.addSuppressed(e);
        }
      }
    }
    if (failure != null) {
      throw failure;
    }
  }
}
