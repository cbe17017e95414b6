#include "reference_model.h"

#include <cmath>
#include <utility>

#include "transformer/rotary_table.h"

// Letters: n rows, s visible row, N heads, D head size, H hidden, P prefix.
namespace native_ddp {
namespace {

const double kAlpha = std::sqrt(56.0);

double Gelu(double z) { return 0.5 * z * (1 + std::tanh(std::sqrt(2 / M_PI) * (z + 0.044715 * z * z * z))); }

/** Rotates one head's D values: the first half by `position`, the second by `block`. */
void Rotate(double* head, int head_size, int position, int block) {
  const int pairs = head_size / 4;
  for (int half = 0; half < 2; ++half) {
    for (int i = 0; i < pairs; ++i) {
      const double exact = std::pow(10000.0, -2.0 * i / (head_size / 2));
      const double angle =
          (half == 0 ? position : block) * static_cast<double>(RoundToFloat16(static_cast<float>(exact)));
      double& a = head[half * 2 * pairs + i];
      double& b = head[half * 2 * pairs + pairs + i];
      const double rotated = a * std::cos(angle) - b * std::sin(angle);
      b = b * std::cos(angle) + a * std::sin(angle);
      a = rotated;
    }
  }
}

}  // namespace

ReferenceModel::ReferenceModel(TinyModel model) : model_(std::move(model)) {}

ReferenceModel::Rows ReferenceModel::Linear(const Rows& x, const std::string& name) const {
  const std::vector<float>& weight = model_.at(name + ".weight");
  const std::vector<float>& bias = model_.at(name + ".bias");
  Rows y(x.size(), std::vector<double>(bias.size()));
  for (std::size_t row = 0; row < x.size(); ++row) {
    for (std::size_t o = 0; o < bias.size(); ++o) {
      y[row][o] = bias[o];
      for (std::size_t i = 0; i < x[row].size(); ++i) y[row][o] += weight[o * x[row].size() + i] * x[row][i];
    }
  }
  return y;
}

ReferenceModel::Rows ReferenceModel::LayerNorm(const Rows& x, const std::string& name) const {
  Rows y = x;
  for (std::vector<double>& row : y) {
    const auto size = static_cast<double>(row.size());
    double mean = 0;
    for (const double value : row) mean += value / size;
    double variance = 0;
    for (const double value : row) variance += (value - mean) * (value - mean) / size;
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] = (row[i] - mean) / std::sqrt(variance + model_.dimensions.layer_norm_epsilon) *
                   model_.at(name + ".weight")[i] +
               model_.at(name + ".bias")[i];
    }
  }
  return y;
}

ReferenceModel::Rows ReferenceModel::Attention(const Rows& query_key_value, int layer, int context_length,
                                               int mask_position, const std::vector<double>& prefix) const {
  const auto heads = static_cast<std::size_t>(model_.dimensions.heads);
  const auto size = static_cast<std::size_t>(model_.dimensions.head_size());
  const std::size_t hidden = heads * size;
  const std::size_t prefix_length = prefix.size() / (2 * hidden * static_cast<std::size_t>(model_.dimensions.layers));
  const double* prefix_key = prefix.data() + 2 * static_cast<std::size_t>(layer) * prefix_length * hidden;
  const double* prefix_value = prefix_key + prefix_length * hidden;
  Rows rotated = query_key_value;  // per head: q, k, v
  for (std::size_t t = 0; t < rotated.size(); ++t) {
    const bool context = static_cast<int>(t) < context_length;
    const int position = context ? static_cast<int>(t) : mask_position;
    const int block = context ? 0 : static_cast<int>(t) - context_length + 1;
    for (std::size_t head = 0; head < heads; ++head) {
      Rotate(&rotated[t][head * 3 * size], static_cast<int>(size), position, block);
      Rotate(&rotated[t][(head * 3 + 1) * size], static_cast<int>(size), position, block);
    }
  }
  Rows context(rotated.size(), std::vector<double>(hidden));
  for (std::size_t t = 0; t < rotated.size(); ++t) {
    for (std::size_t head = 0; head < heads; ++head) {
      const double* query = &rotated[t][head * 3 * size];
      std::vector<std::pair<const double*, const double*>> seen;  // key, value
      for (std::size_t p = 0; p < prefix_length; ++p) {
        seen.emplace_back(prefix_key + p * hidden + head * size, prefix_value + p * hidden + head * size);
      }
      for (std::size_t s = 0; s < rotated.size(); ++s) {
        if (s <= t || static_cast<int>(s) < context_length) {
          seen.emplace_back(&rotated[s][(head * 3 + 1) * size], &rotated[s][(head * 3 + 2) * size]);
        }
      }
      double total = 0;
      for (const auto& [key, value] : seen) {
        double score = 0;
        for (std::size_t d = 0; d < size; ++d) score += query[d] * key[d];
        const double weight = std::exp(score / std::sqrt(static_cast<double>(size)));
        total += weight;
        for (std::size_t d = 0; d < size; ++d) context[t][head * size + d] += weight * value[d];
      }
      for (std::size_t d = 0; d < size; ++d) context[t][head * size + d] /= total;
    }
  }
  return context;
}

ReferenceModel::Rows ReferenceModel::Logits(const std::vector<std::int32_t>& tokens, int context_length,
                                            int mask_position, const std::vector<double>& prefix) const {
  const auto hidden = static_cast<std::size_t>(model_.dimensions.hidden);
  const std::vector<float>& embeddings = model_.at("transformer.word_embeddings.weight");
  Rows stream;
  for (const std::int32_t token : tokens) {
    const auto first = embeddings.begin() + static_cast<std::ptrdiff_t>(token) * static_cast<std::ptrdiff_t>(hidden);
    stream.emplace_back(first, first + static_cast<std::ptrdiff_t>(hidden));
  }
  for (int index = 0; index < model_.dimensions.layers; ++index) {
    const std::string layer = "transformer.layers." + std::to_string(index) + ".";
    const Rows x = LayerNorm(stream, layer + "input_layernorm");
    const Rows attended =
        Linear(Attention(Linear(x, layer + "attention.query_key_value"), index, context_length, mask_position, prefix),
               layer + "attention.dense");
    Rows sum = x;
    for (std::size_t t = 0; t < sum.size(); ++t) {
      for (std::size_t i = 0; i < hidden; ++i) sum[t][i] = kAlpha * x[t][i] + attended[t][i];
    }
    const Rows y = LayerNorm(sum, layer + "post_attention_layernorm");
    Rows inner = Linear(y, layer + "mlp.dense_h_to_4h");
    for (std::vector<double>& row : inner) {
      for (double& value : row) value = Gelu(value);
    }
    stream = Linear(inner, layer + "mlp.dense_4h_to_h");
    for (std::size_t t = 0; t < stream.size(); ++t) {
      for (std::size_t i = 0; i < hidden; ++i) stream[t][i] += kAlpha * y[t][i];
    }
  }
  const Rows last = LayerNorm(stream, "transformer.final_layernorm");
  Rows logits(last.size(), std::vector<double>(static_cast<std::size_t>(model_.dimensions.vocabulary)));
  for (std::size_t t = 0; t < last.size(); ++t) {
    for (std::size_t v = 0; v < logits[t].size(); ++v) {
      for (std::size_t i = 0; i < hidden; ++i) logits[t][v] += embeddings[v * hidden + i] * last[t][i];
    }
  }
  return logits;
}

std::vector<double> ReferenceModel::Losses(const PackedBatch& batch, const std::vector<double>& prefix) const {
  std::vector<double> losses;
  for (const PackedSample& sample : batch.samples) {
    const auto first = batch.tokens.begin() + sample.begin;
    const Rows logits = Logits({first, first + sample.length}, sample.context_length, sample.mask_position, prefix);
    double loss = 0;
    for (std::size_t t = 0; t < logits.size(); ++t) {
      const std::int32_t target = batch.targets[static_cast<std::size_t>(sample.begin) + t];
      if (target == kIgnored) continue;
      double total = 0;
      for (const double logit : logits[t]) total += std::exp(logit);
      loss += std::log(total) - logits[t][static_cast<std::size_t>(target)];
    }
    losses.push_back(loss);
  }
  return losses;
}

std::vector<double> ReferenceModel::LastLogits(const std::vector<std::int32_t>& tokens, int context_length,
                                               int mask_position, const std::vector<double>& prefix) const {
  return Logits(tokens, context_length, mask_position, prefix).back();
}

}  // namespace native_ddp
