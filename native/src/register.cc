// The library's doors: registration with a session, the number of threads, the version.
#include <cstring>
#include <memory>
#include <mutex>

#include "host.h"
#include "tile.h"

#ifndef ORBIT_SOURCES_HASH
#define ORBIT_SOURCES_HASH "unknown"
#endif
#ifndef ORBIT_ONEDNN_VERSION
#define ORBIT_ONEDNN_VERSION "unknown"
#endif

#if defined(_WIN32)
#define ORBIT_EXPORT extern "C" __declspec(dllexport)
#else
#define ORBIT_EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace orbit {

#if !defined(ORBIT_WITHOUT_ONEDNN)
std::vector<Op> convolutionOps();
#endif
std::vector<Op> attentionOps();
std::vector<Op> fusedOps();
std::vector<Op> poolingOps();
std::vector<Op> productOps();
std::vector<Op> updateOps();
std::vector<Op> recurrenceOps();

namespace {

int threads = 1;

/// The oldest table that holds every function used here.
constexpr uint32_t kApiVersion = 20;

OrtStatus* failure(const char* name, const char* message) noexcept {
  try {
    return api->CreateStatus(ORT_FAIL, (std::string("orbit.") + name + ": " + message).c_str());
  } catch (...) {
    return api->CreateStatus(ORT_FAIL, "orbit: out of memory");
  }
}

/// Runs `body`; an exception becomes a status, so that none crosses the C boundary.
template <class Body>
OrtStatus* guarded(const char* name, Body body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const std::exception& e) {
    return failure(name, e.what());
  } catch (...) {
    return failure(name, "an unknown error");
  }
}

struct CustomOp : OrtCustomOp {
  Op op;
};

const char* nameOf(const OrtCustomOp* op) { return static_cast<const CustomOp*>(op)->op.name; }

/// A kernel and the name to put on its errors.
struct Instance {
  std::unique_ptr<Kernel> kernel;
  const char* name;
};

OrtStatus* inferShapes(const OrtCustomOp* op, OrtShapeInferContext* context) {
  return guarded(nameOf(op), [&] {
    const OrtOpAttr* attribute = nullptr;
    check(api->ShapeInferContext_GetAttribute(context, "shapes", &attribute));
    size_t bytes = 0;
    if (OrtStatus* tooSmall = api->ReadOpAttr(attribute, ORT_OP_ATTR_INTS, nullptr, 0, &bytes)) api->ReleaseStatus(tooSmall);
    Dims flat(bytes / sizeof(int64_t));
    check(api->ReadOpAttr(attribute, ORT_OP_ATTR_INTS, flat.data(), bytes, &bytes));
    auto shapes = splitShapes(flat);
    for (size_t i = 0; i < shapes.size(); i++) {
      OrtTensorTypeAndShapeInfo* info = nullptr;
      check(api->CreateTensorTypeAndShapeInfo(&info));
      OrtStatus* status = api->SetTensorElementType(info, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
      if (status == nullptr) status = api->SetDimensions(info, shapes[i].data(), shapes[i].size());
      if (status == nullptr) status = api->ShapeInferContext_SetOutputTypeShape(context, i, info);
      api->ReleaseTensorTypeAndShapeInfo(info);
      check(status);
    }
  });
}

CustomOp customOp(const Op& op) {
  CustomOp out;
  std::memset(static_cast<OrtCustomOp*>(&out), 0, sizeof(OrtCustomOp));
  out.op = op;
  out.version = kApiVersion;
  out.GetName = nameOf;
  out.GetExecutionProviderType = [](const OrtCustomOp*) -> const char* { return nullptr; };
  // Every op takes and gives any number of float tensors.
  out.GetInputTypeCount = [](const OrtCustomOp*) -> size_t { return 1; };
  out.GetOutputTypeCount = [](const OrtCustomOp*) -> size_t { return 1; };
  out.GetInputType = [](const OrtCustomOp*, size_t) { return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT; };
  out.GetOutputType = [](const OrtCustomOp*, size_t) { return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT; };
  out.GetInputCharacteristic = [](const OrtCustomOp*, size_t) { return INPUT_OUTPUT_VARIADIC; };
  out.GetOutputCharacteristic = [](const OrtCustomOp*, size_t) { return INPUT_OUTPUT_VARIADIC; };
  out.GetInputMemoryType = [](const OrtCustomOp*, size_t) { return OrtMemTypeDefault; };
  out.GetVariadicInputMinArity = [](const OrtCustomOp*) { return 1; };
  out.GetVariadicOutputMinArity = [](const OrtCustomOp*) { return 1; };
  out.GetVariadicInputHomogeneity = [](const OrtCustomOp*) { return 1; };
  out.GetVariadicOutputHomogeneity = [](const OrtCustomOp*) { return 1; };
  out.GetStartVersion = [](const OrtCustomOp*) { return 1; };
  out.GetEndVersion = [](const OrtCustomOp*) { return 1 << 30; };
  out.InferOutputShapeFn = inferShapes;
  out.CreateKernelV2 = [](const OrtCustomOp* op, const OrtApi*, const OrtKernelInfo* info, void** kernel) -> OrtStatus* {
    return guarded(nameOf(op), [&] {
      auto instance = std::make_unique<Instance>();
      instance->name = nameOf(op);
      instance->kernel.reset(static_cast<const CustomOp*>(op)->op.make(Info(info)));
      *kernel = instance.release();
    });
  };
  out.KernelComputeV2 = [](void* kernel, OrtKernelContext* context) -> OrtStatus* {
    auto* instance = static_cast<Instance*>(kernel);
    return guarded(instance->name, [&] { instance->kernel->run(Context(context)); });
  };
  out.KernelDestroy = [](void* kernel) { delete static_cast<Instance*>(kernel); };
  return out;
}

/// The domain with all ops; made once, kept until the process ends because sessions refer to it.
OrtCustomOpDomain* domain() {
  static OrtCustomOpDomain* made = [] {
    static std::vector<CustomOp> all;
    for (const Op& op : ops()) all.push_back(customOp(op));
    OrtCustomOpDomain* out = nullptr;
    check(api->CreateCustomOpDomain("orbit", &out));
    for (CustomOp& op : all) check(api->CustomOpDomain_Add(out, &op));
    return out;
  }();
  return made;
}

}  // namespace

int poolThreads() { return threads; }

const std::vector<Op>& ops() {
  static const std::vector<Op> all = [] {
    std::vector<Op> out;
    for (auto list : {
             attentionOps(),
             fusedOps(),
             poolingOps(),
             productOps(),
             updateOps(),
             recurrenceOps(),
#if !defined(ORBIT_WITHOUT_ONEDNN)
             convolutionOps(),
#endif
         })
      out.insert(out.end(), list.begin(), list.end());
    return out;
  }();
  return all;
}

}  // namespace orbit

/// Exported, so that it stands in the binary as one string.
ORBIT_EXPORT const char OrbitNativeIdentity[];
const char OrbitNativeIdentity[] = "orbit-native interface=1 sources=" ORBIT_SOURCES_HASH " onednn=" ORBIT_ONEDNN_VERSION;

/// Called by ONNX Runtime for each session's options.
ORBIT_EXPORT OrtStatus* ORT_API_CALL RegisterCustomOps(OrtSessionOptions* options, const OrtApiBase* base) {
  using namespace orbit;
  static std::once_flag once;
  std::call_once(once, [&] { api = base->GetApi(kApiVersion); });
  if (api == nullptr) return base->GetApi(1)->CreateStatus(ORT_FAIL, "orbit: this ONNX Runtime is too old");
  return guarded("register", [&] { check(api->AddCustomOpDomain(options, domain())); });
}

/// Tells how many threads ONNX Runtime's pool has; primitives made later split their work among so many.
ORBIT_EXPORT void OrbitNativeSetThreads(int count) { orbit::threads = count < 1 ? 1 : count; }

/// The interface that the lowerings of orbit-ts expect, the hash of the sources, oneDNN's version, the instruction set and the ops.
ORBIT_EXPORT const char* OrbitNativeVersion() {
  static const std::string version = [] {
    std::string out = std::string(OrbitNativeIdentity) + " isa=" + orbit::tileOpsName() + " ops=";
    for (const orbit::Op& op : orbit::ops()) out += std::string(out.back() == '=' ? "" : ",") + op.name;
    return out;
  }();
  return version.c_str();
}
