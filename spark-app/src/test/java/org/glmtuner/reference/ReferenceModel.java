package org.glmtuner.reference;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.Shape;
import ai.djl.ndarray.types.SparseFormat;
import ai.djl.nn.core.Embedding;
import ai.djl.nn.norm.LayerNorm;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.glmtuner.data.Sample;
import org.glmtuner.model.ChatGlmConfig;

/**
 * ChatGLM-6B in DJL operations and FP32, written after the official modeling_chatglm.py to be read,
 * not to be fast. Tests hold the native transformer against it; the sample's tiny base is trained
 * with it.
 *
 * <p>B samples, S positions, N heads, D head size, H = N·D, V vocabulary, P virtual tokens, L
 * layers, R labelled positions.
 */
public final class ReferenceModel {
  /** α = √(2·28), whatever the number of layers: the official block never learns of it. */
  private static final double RESIDUAL = Math.sqrt(56);

  private final ChatGlmConfig config;
  private final Map<String, NDArray> weights;

  /**
   * @param weights by their official names, with the rows of query_key_value mixed per head; they
   *     stay the caller's, who may let them require gradients
   */
  public ReferenceModel(ChatGlmConfig config, Map<String, NDArray> weights) {
    this.config = config;
    this.weights = weights;
  }

  /**
   * The sum of each sample's token losses.
   *
   * @param prefix keys and values [L, 2, P, H] for all samples, or [B, L, 2, P, H], each sample's
   *     own; null for none
   * @return [B], in {@code manager}
   */
  public NDArray losses(List<Sample> samples, NDArray prefix, NDManager manager) {
    ReferenceBatch batch = ReferenceBatch.of(samples, manager);
    List<NDArray> states = states(batch, prefix, manager);
    NDArray x = states.get(states.size() - 1); // [B, S, H]
    NDArray rows = x.reshape(-1, config.hiddenSize()).get(new NDIndex("{}", batch.labelled()));
    NDArray logits = logits(rows); // [R, V]
    NDArray chosen = logits.logSoftmax(1).gather(batch.targets().expandDims(1), 1); // [R, 1]
    return batch.owners().transpose().matMul(chosen.neg()).squeeze(1); // [B]
  }

  /**
   * The hidden states of samples padded to the longest: the embeddings, the output of each layer
   * but the last, and that of the final norm.
   *
   * @param prefix as for {@link #losses}
   * @return L + 1 arrays of [B, S, H]
   */
  public List<NDArray> states(List<Sample> samples, NDArray prefix, NDManager manager) {
    return states(ReferenceBatch.of(samples, manager), prefix, manager);
  }

  /**
   * What is predicted from hidden states.
   *
   * @param rows of the last of {@link #states}, [R, H]
   * @return [R, V]
   */
  public NDArray logits(NDArray rows) {
    return rows.matMul(weight("word_embeddings.weight").transpose());
  }

  private List<NDArray> states(ReferenceBatch batch, NDArray prefix, NDManager manager) {
    List<NDArray> states = new ArrayList<>();
    Rotary rotary = new Rotary(batch, config.headSize(), manager);
    NDArray x =
        Embedding.embedding(batch.ids(), weight("word_embeddings.weight"), SparseFormat.DENSE)
            .singletonOrThrow(); // [B, S, H]
    for (int layer = 0; layer < config.numLayers(); layer++) {
      states.add(x);
      String name = "layers." + layer + ".";
      NDArray a = norm(x, name + "input_layernorm");
      NDArray h = a.mul(RESIDUAL).add(attention(a, layer, batch, prefix, rotary));
      NDArray y = norm(h, name + "post_attention_layernorm");
      NDArray inner = gelu(linear(y, name + "mlp.dense_h_to_4h"));
      x = y.mul(RESIDUAL).add(linear(inner, name + "mlp.dense_4h_to_h"));
    }
    states.add(norm(x, "final_layernorm"));
    return states;
  }

  private NDArray attention(
      NDArray a, int layer, ReferenceBatch batch, NDArray prefix, Rotary rotary) {
    String name = "layers." + layer + ".attention.";
    long count = a.getShape().get(0);
    long length = a.getShape().get(1);
    NDList parts =
        linear(a, name + "query_key_value") // [B, S, 3H]
            .reshape(count, length, config.numAttentionHeads(), 3L * config.headSize())
            .transpose(0, 2, 1, 3)
            .split(3, 3); // of [B, N, S, D]
    NDArray query = rotary.turn(parts.get(0));
    NDArray key = rotary.turn(parts.get(1));
    NDArray value = parts.get(2);
    NDArray visible = batch.attention(); // [B, 1, S, S]
    if (prefix != null) { // in front, after the rotary step: it has no positions
      NDArray prefixKey = heads(prefix, layer, 0, count); // [B, N, P, D]
      key = NDArrays.concat(new NDList(prefixKey, key), 2);
      value = NDArrays.concat(new NDList(heads(prefix, layer, 1, count), value), 2);
      NDArray open =
          visible.getManager().zeros(new Shape(count, 1, length, prefixKey.getShape().get(2)));
      visible = NDArrays.concat(new NDList(open, visible), 3);
    }
    NDArray scores =
        query.matMul(key.transpose(0, 1, 3, 2)).div(Math.sqrt(config.headSize())).add(visible);
    NDArray mixed = scores.softmax(3).matMul(value); // [B, N, S, D]
    return linear(
        mixed.transpose(0, 2, 1, 3).reshape(count, length, config.hiddenSize()), name + "dense");
  }

  /** One layer's prefix keys or values, [B, N, P, D]. */
  private NDArray heads(NDArray prefix, int layer, int keyOrValue, long count) {
    boolean own = prefix.getShape().dimension() == 5;
    NDArray slice =
        own
            ? prefix.get(new NDIndex(":, {}, {}", layer, keyOrValue)) // [B, P, H]
            : prefix.get(new NDIndex("{}, {}", layer, keyOrValue)).expandDims(0);
    long length = slice.getShape().get(1);
    return slice
        .broadcast(count, length, config.hiddenSize())
        .reshape(count, length, config.numAttentionHeads(), config.headSize())
        .transpose(0, 2, 1, 3);
  }

  private NDArray linear(NDArray x, String name) {
    return x.matMul(weight(name + ".weight").transpose()).add(weight(name + ".bias"));
  }

  private NDArray norm(NDArray x, String name) {
    return LayerNorm.layerNorm(
            x,
            new Shape(config.hiddenSize()),
            weight(name + ".weight"),
            weight(name + ".bias"),
            (float) config.layernormEpsilon())
        .singletonOrThrow();
  }

  /** The tanh form. */
  private static NDArray gelu(NDArray z) {
    NDArray inner = z.mul(z).mul(0.044715).add(1).mul(z).mul(0.7978845608028654);
    return z.mul(0.5).mul(inner.tanh().add(1));
  }

  private NDArray weight(String name) {
    return weights.get("transformer." + name);
  }
}
