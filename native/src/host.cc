#include "host.h"

#include <atomic>
#include <exception>

namespace orbit {

const OrtApi* api = nullptr;

namespace {
thread_local bool insideTask = false;
}

bool inParallel() { return insideTask; }

void check(OrtStatus* status) {
  if (status == nullptr) return;
  std::string message = api->GetErrorMessage(status);
  api->ReleaseStatus(status);
  throw Failure(message);
}

std::string text(const Dims& dims) {
  std::string out = "[";
  for (size_t i = 0; i < dims.size(); i++) out += (i ? "," : "") + std::to_string(dims[i]);
  return out + "]";
}

int64_t product(const Dims& dims) {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  return n;
}

std::vector<Dims> splitShapes(const Dims& flat) {
  std::vector<Dims> shapes;
  for (size_t i = 0; i < flat.size();) {
    size_t rank = static_cast<size_t>(flat[i++]);
    if (rank > flat.size() - i) throw Failure("the attribute shapes is cut off");
    shapes.emplace_back(flat.begin() + i, flat.begin() + i + rank);
    i += rank;
  }
  return shapes;
}

Dims Info::ints(const char* name) const {
  size_t size = 0;
  check(api->KernelInfoGetAttributeArray_int64(info_, name, nullptr, &size));
  Dims out(size);
  if (size > 0) check(api->KernelInfoGetAttributeArray_int64(info_, name, out.data(), &size));
  return out;
}

std::vector<float> Info::floats(const char* name) const {
  size_t size = 0;
  check(api->KernelInfoGetAttributeArray_float(info_, name, nullptr, &size));
  std::vector<float> out(size);
  if (size > 0) check(api->KernelInfoGetAttributeArray_float(info_, name, out.data(), &size));
  return out;
}

int64_t Info::integer(const char* name) const {
  int64_t out = 0;
  check(api->KernelInfoGetAttribute_int64(info_, name, &out));
  return out;
}

std::string Info::nodeName() const {
  size_t size = 0;
  check(api->KernelInfo_GetNodeName(info_, nullptr, &size));
  std::string name(size, '\0');
  check(api->KernelInfo_GetNodeName(info_, name.data(), &size));
  while (!name.empty() && name.back() == '\0') name.pop_back();
  return name;
}

const float* Context::input(size_t index) const {
  const OrtValue* value = nullptr;
  check(api->KernelContext_GetInput(context_, index, &value));
  void* data = nullptr;
  check(api->GetTensorMutableData(const_cast<OrtValue*>(value), &data));
  return static_cast<const float*>(data);
}

Dims Context::inputDims(size_t index) const {
  const OrtValue* value = nullptr;
  check(api->KernelContext_GetInput(context_, index, &value));
  OrtTensorTypeAndShapeInfo* info = nullptr;
  check(api->GetTensorTypeAndShape(value, &info));
  size_t rank = 0;
  OrtStatus* status = api->GetDimensionsCount(info, &rank);
  Dims dims(rank);
  if (status == nullptr) status = api->GetDimensions(info, dims.data(), rank);
  api->ReleaseTensorTypeAndShapeInfo(info);
  check(status);
  return dims;
}

size_t Context::inputCount() const {
  size_t count = 0;
  check(api->KernelContext_GetInputCount(context_, &count));
  return count;
}

float* Context::output(size_t index, const Dims& dims) const {
  OrtValue* value = nullptr;
  check(api->KernelContext_GetOutput(context_, index, dims.data(), dims.size(), &value));
  void* data = nullptr;
  check(api->GetTensorMutableData(value, &data));
  return static_cast<float*>(data);
}

void* Context::scratch(size_t bytes) const {
  if (bytes == 0) return nullptr;
  static OrtMemoryInfo* memory = [] {
    OrtMemoryInfo* out = nullptr;
    check(api->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &out));
    return out;
  }();
  void* out = nullptr;
  check(api->KernelContext_GetScratchBuffer(context_, memory, bytes, &out));
  return out;
}

void Context::parallel(size_t count, const std::function<void(size_t)>& task) const {
  if (count == 0) return;
  if (count == 1 || insideTask) {
    for (size_t i = 0; i < count; i++) task(i);
    return;
  }
  struct Shared {
    const std::function<void(size_t)>* task;
    std::atomic<bool> failed{false};
    std::exception_ptr error;
  } shared;
  shared.task = &task;
  check(api->KernelContext_ParallelFor(
      context_,
      [](void* data, size_t i) {
        auto* s = static_cast<Shared*>(data);
        bool outer = insideTask;
        insideTask = true;
        try {
          (*s->task)(i);
        } catch (...) {
          if (!s->failed.exchange(true)) s->error = std::current_exception();
        }
        insideTask = outer;
      },
      count, count, &shared));
  if (shared.failed) std::rethrow_exception(shared.error);
}

}  // namespace orbit
