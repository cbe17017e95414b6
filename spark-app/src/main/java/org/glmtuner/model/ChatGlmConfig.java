package org.glmtuner.model;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.glmtuner.config.PrefixConfig;
import org.glmtuner.failure.TunerException;
import org.glmtuner.storage.Folder;

/**
 * A model's {@code config.json}. No key has a default but the prefix's: the defaults of the
 * official class are those of a vocabulary that is no longer published.
 *
 * @param numLayers L
 * @param hiddenSize H
 * @param numAttentionHeads N, divides H into heads of D, a multiple of 4
 * @param innerHiddenSize I, width of the feed-forward layer
 * @param vocabSize V, rows of the embedding; every id is below it
 * @param maxSequenceLength tokens of a sample at most, prefix not counted
 * @param prefix what a prefix checkpoint's configuration says of the prefix; absent for a base
 * @param json the whole file, for {@link #toJson}
 */
public record ChatGlmConfig(
    int numLayers,
    int hiddenSize,
    int numAttentionHeads,
    int innerHiddenSize,
    int vocabSize,
    int maxSequenceLength,
    double layernormEpsilon,
    SpecialIds specialIds,
    Optional<Prefix> prefix,
    JsonObject json) {

  public static final String FILE = "config.json";

  private static final String QUANTIZATION = "quantization_bit";
  private static final int MAX_BYTES = 1 << 20;

  /**
   * The shape of a trained prefix.
   *
   * @param length P, virtual tokens
   * @param projection whether the prefix is projected by a two-layer perceptron
   */
  public record Prefix(int length, boolean projection) implements Serializable {
    /** The base alone. */
    public static final Prefix NONE = new Prefix(0, false);

    /** What a run is configured to train. */
    public static Prefix of(PrefixConfig config) {
      return new Prefix(config.length(), config.projection());
    }

    @Override
    public String toString() {
      return length + " virtual tokens with" + (projection ? "" : "out") + " projection";
    }
  }

  /**
   * What {@code config.json} of a checkpoint directory says of the prefix, if anything. Nothing
   * else of the file matters: the official trainer notes there how it quantised the base.
   */
  public static Optional<Prefix> readPrefix(Folder checkpoint) throws IOException {
    return checkpoint.contains(FILE)
        ? prefix(new ConfigJson(checkpoint.readAll(FILE, MAX_BYTES), checkpoint.locate(FILE)))
        : Optional.empty();
  }

  /**
   * Reads {@code config.json} of a directory with a prefix. How the official trainer quantised the
   * base is left out: a prefix fits the base in any precision.
   *
   * @throws TunerException as {@link #parse}
   */
  public static ChatGlmConfig readCheckpoint(Folder checkpoint) throws IOException {
    ConfigJson json = new ConfigJson(checkpoint.readAll(FILE, MAX_BYTES), checkpoint.locate(FILE));
    json.content().remove(QUANTIZATION);
    return parse(json);
  }

  /** Reads {@code config.json} of a model's directory. */
  public static ChatGlmConfig read(Folder folder) throws IOException {
    return parse(folder.readAll(FILE, MAX_BYTES), folder.locate(FILE));
  }

  /**
   * Reads the bytes of a {@code config.json}.
   *
   * @param location its path, for messages
   * @throws TunerException if it is no ChatGLM-6B that this program can use
   */
  public static ChatGlmConfig parse(byte[] bytes, String location) {
    return parse(new ConfigJson(bytes, location));
  }

  private static ChatGlmConfig parse(ConfigJson json) {
    checkFamily(json);
    int hiddenSize = json.size("hidden_size");
    int heads = json.size("num_attention_heads");
    json.check(
        "num_attention_heads",
        hiddenSize % heads == 0 && hiddenSize / heads % 4 == 0,
        "divides hidden_size " + hiddenSize + " into heads of a multiple of 4");
    int vocabSize = json.size("vocab_size");
    checkRelease(json, vocabSize);
    return new ChatGlmConfig(
        json.size("num_layers"),
        hiddenSize,
        heads,
        json.size("inner_hidden_size"),
        vocabSize,
        json.size("max_sequence_length"),
        epsilon(json),
        json.specialIds(
            vocabSize,
            "mask_token_id",
            "gmask_token_id",
            "bos_token_id",
            "eos_token_id",
            "pad_token_id"),
        prefix(json),
        json.content());
  }

  private static void checkFamily(ConfigJson json) {
    json.check("model_type", json.text("model_type").equals("chatglm"), "chatglm is supported");
    if (json.has("padded_vocab_size") || json.has("multi_query_attention")) {
      throw json.unsupported("it is a ChatGLM2 or ChatGLM3 (ChatGLM-6B is supported)");
    }
    json.check("position_encoding_2d", json.flag("position_encoding_2d"), "true, as in ChatGLM-6B");
    if (json.has(QUANTIZATION)) {
      json.check(QUANTIZATION, json.integer(QUANTIZATION) == 0, "0: take the unquantised model");
    }
  }

  /** The first release left two of the special ids to its code, where later code has others. */
  private static void checkRelease(ConfigJson json, int vocabSize) {
    boolean stale =
        Release.ofVocabulary(vocabSize).equals(Optional.of(Release.FIRST))
            && !json.has("mask_token_id");
    json.check(
        "vocab_size",
        !stale,
        FILE
            + " is stale: without a mask_token_id it is of "
            + Release.FIRST.title()
            + "; take all files of "
            + Release.SLIMMED.title());
  }

  private static double epsilon(ConfigJson json) {
    double epsilon = json.number("layernorm_epsilon");
    json.check("layernorm_epsilon", epsilon > 0 && epsilon < 1, "between 0 and 1");
    return epsilon;
  }

  private static Optional<Prefix> prefix(ConfigJson json) {
    if (!json.has("pre_seq_len")) {
      return Optional.empty();
    }
    boolean projection = json.has("prefix_projection") && json.flag("prefix_projection");
    return Optional.of(new Prefix(json.size("pre_seq_len"), projection));
  }

  /** Values that the model has, its output matrix being its embedding. */
  public long parameters() {
    return ModelTensor.of(this).stream()
        .mapToLong(tensor -> tensor.rows() * tensor.columns())
        .sum();
  }

  /** D, elements of one attention head. */
  public int headSize() {
    return hiddenSize / numAttentionHeads;
  }

  /** The same model with a prefix of this shape, as a checkpoint's configuration says it. */
  public ChatGlmConfig withPrefix(Prefix newPrefix) {
    JsonObject changed = json.deepCopy();
    changed.addProperty("pre_seq_len", newPrefix.length());
    changed.addProperty("prefix_projection", newPrefix.projection());
    return new ChatGlmConfig(
        numLayers,
        hiddenSize,
        numAttentionHeads,
        innerHiddenSize,
        vocabSize,
        maxSequenceLength,
        layernormEpsilon,
        specialIds,
        Optional.of(newPrefix),
        changed);
  }

  /** The whole file in the official layout, keys that this program does not know included. */
  public byte[] toJson() {
    return ConfigJson.format(json).getBytes(StandardCharsets.UTF_8);
  }
}
