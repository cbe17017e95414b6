#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "temporary_file.h"
#include "tiny_model.h"
#include "weights/model_weights.h"

namespace native_ddp {
namespace {

const ModelDimensions kSize{2, 8, 2, 12, 20, 1e-5};
constexpr const char* kDense = "transformer.layers.1.attention.dense.weight";

/** What opening the file says, which must name the file. */
std::string Failure(const std::string& path, const ModelDimensions& size = kSize) {
  try {
    const ModelWeights weights(path, size);
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
    return error.what();
  }
  return "";
}

class WeightFileTest : public testing::Test {
 protected:
  WeightFileTest() : metadata_(WeightFileMetadata(ElementType::kBfloat16)) {
    tensors_ = RandomModel(kSize, 1).WeightFileTensors(ElementType::kBfloat16);
  }

  std::string FailureOf(std::size_t alignment = 4096) {
    WriteSafetensors(file_.path(), metadata_, tensors_, alignment);
    return Failure(file_.path());
  }

  TensorToWrite& Tensor(const std::string& name) {
    for (TensorToWrite& tensor : tensors_) {
      if (tensor.name == name) return tensor;
    }
    throw std::logic_error("no tensor " + name);
  }

  TemporaryFile file_;
  std::map<std::string, std::string> metadata_;
  std::vector<TensorToWrite> tensors_;
};

TEST_F(WeightFileTest, TensorsAreReadWhereTheyLie) {
  for (const ElementType precision : {ElementType::kBfloat16, ElementType::kFloat32}) {
    const TinyModel model = RandomModel(kSize, 7);
    model.Write(file_.path(), precision);
    const ModelWeights weights(file_.path(), kSize);
    EXPECT_EQ(weights.precision(), precision);
    EXPECT_EQ(weights.final_layernorm().bias[3], model.at("transformer.final_layernorm.bias")[3]);
    const WeightMatrix& dense = weights.layer(1).dense.weight;
    EXPECT_EQ(dense.rows, 8);
    EXPECT_EQ(dense.columns, 8);
    const std::uint16_t bits = precision == ElementType::kBfloat16 ? *dense.Bfloat16(2, 5) : 0;
    const std::uint32_t widened = std::uint32_t{bits} << 16;
    float value;
    std::memcpy(&value, &widened, sizeof value);
    if (precision == ElementType::kFloat32) value = *dense.Float32(2, 5);
    EXPECT_NEAR(value, model.at(kDense)[2 * 8 + 5], 2e-3);
    // Wqkv row of head 1's key 2, which is mixed per head in the official order, comes after all queries
    const WeightMatrix& qkv = weights.layer(0).query_key_value.weight;
    if (precision == ElementType::kFloat32) {
      EXPECT_EQ(*qkv.Float32(8 + 4 + 2, 6),
                model.at("transformer.layers.0.attention.query_key_value.weight")[((1 * 3 + 1) * 4 + 2) * 8 + 6]);
    }
  }
}

TEST_F(WeightFileTest, AMissingFileIsNamed) {
  EXPECT_EQ(Failure("/no/such/file"), "Cannot read the weight file /no/such/file: No such file or directory");
  EXPECT_EQ(Failure("/tmp"), "Cannot read the weight file /tmp: not a regular file");
}

TEST_F(WeightFileTest, AFileThatIsNotSafetensorsIsRefused) {
  WriteBytes(file_.path(), "PK\3\4");
  EXPECT_NE(Failure(file_.path()).find("expected a safetensors header, found 4 bytes"), std::string::npos);
  WriteBytes(file_.path(), "PK\3\4 is how an archive of torch.save begins");
  EXPECT_NE(Failure(file_.path()).find("expected a safetensors header, found one of"), std::string::npos);
  WriteBytes(file_.path(), std::string("\5\0\0\0\0\0\0\0{\"a\":", 13));
  EXPECT_NE(Failure(file_.path()).find("its header is not a safetensors header"), std::string::npos);
  WriteBytes(file_.path(), std::string("\7\0\0\0\0\0\0\0{\"a\":1}", 15));
  EXPECT_NE(Failure(file_.path()).find("its header is not a safetensors header"), std::string::npos);
}

TEST_F(WeightFileTest, AFileShorterThanItsHeaderSaysIsRefused) {
  RandomModel(kSize, 1).Write(file_.path(), ElementType::kBfloat16);
  const std::string whole = ReadBytes(file_.path());
  WriteBytes(file_.path(), whole.substr(0, whole.size() - 1));
  EXPECT_NE(Failure(file_.path()).find("the file is cut short: tensor transformer."), std::string::npos);
  EXPECT_NE(Failure(file_.path()).find("ends at byte " + std::to_string(whole.size())), std::string::npos);
}

TEST_F(WeightFileTest, MetadataMustBeThoseOfAWeightFile) {
  for (const char* key : {"format", "version", "precision", "qkv_layout"}) {
    const std::string good = metadata_.at(key);
    metadata_[key] = "2";
    EXPECT_NE(FailureOf().find(std::string("expected the metadata ") + key + "=" +
                               (std::string(key) == "precision" ? "bf16" : good)),
              std::string::npos);
    EXPECT_NE(FailureOf().find("found 2"), std::string::npos);
    metadata_.erase(key);
    EXPECT_NE(FailureOf().find("found nothing"), std::string::npos);
    metadata_[key] = good;
  }
  EXPECT_EQ(FailureOf(), "");
}

TEST_F(WeightFileTest, AMissingTensorIsNamed) {
  Tensor(kDense).name = "other";
  EXPECT_NE(FailureOf().find(std::string("tensor ") + kDense + " is missing"), std::string::npos);
}

TEST_F(WeightFileTest, AWrongShapeIsNamedWithWhatWasExpected) {
  Tensor(kDense).shape = {4, 16};
  EXPECT_NE(FailureOf().find(std::string("tensor ") + kDense + ": expected BF16 [8, 8], found BF16 [4, 16]"),
            std::string::npos);
}

TEST_F(WeightFileTest, AWrongDtypeIsNamedWithWhatWasExpected) {
  Tensor(kDense).dtype = "F16";
  EXPECT_NE(FailureOf().find(std::string("tensor ") + kDense + ": expected BF16 [8, 8], found F16 [8, 8]"),
            std::string::npos);
  Tensor(kDense).dtype = "BF17";
  EXPECT_NE(FailureOf().find(std::string("tensor ") + kDense + " has the unknown dtype BF17"), std::string::npos);
}

TEST_F(WeightFileTest, BytesMustFitTheShape) {
  Tensor(kDense).shape = {8, 9};
  EXPECT_NE(FailureOf().find(std::string("tensor ") + kDense + ": expected 144 bytes for BF16 [8, 9]"),
            std::string::npos);
  Tensor(kDense).shape = {-8, -8};
  EXPECT_NE(FailureOf().find(std::string("tensor ") + kDense + " has the impossible shape [-8, -8]"),
            std::string::npos);
  Tensor(kDense).shape = {std::int64_t{1} << 62, 8};
  EXPECT_NE(FailureOf().find("has the impossible shape"), std::string::npos);
}

TEST_F(WeightFileTest, TensorsMustStartOnAPage) {
  EXPECT_NE(FailureOf(64).find("expected the tensors to start at a multiple of 4096"), std::string::npos);
}

TEST_F(WeightFileTest, DimensionsMustMakeSense) {
  const auto refused = [](const ModelDimensions& size) { EXPECT_THROW(size.Validate(), std::invalid_argument); };
  refused({0, 8, 2, 12, 20, 1e-5});
  refused({2, 9, 2, 12, 20, 1e-5});
  refused({2, 12, 2, 12, 20, 1e-5});  // head size 6
  refused({2, 8, 2, 12, -20, 1e-5});
  refused({2, 8, 2, 12, 20, 0});
  EXPECT_NO_THROW(kSize.Validate());
}

}  // namespace
}  // namespace native_ddp
