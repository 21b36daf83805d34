"""Writes the calls of argument_cases.h for every function of hone.h.

    python argument_calls.py HEADER OUT

Each function becomes one test: once with valid arguments, then, for each parameter in turn, with everything that this
parameter can be and must not be, all others valid. What may be NULL is read from the header's own comments. A parameter
for which no valid value is known here ends the program: a new function does not go without its cases.
"""

import re
import sys

CLASSES = ["error", "buffer", "config", "runtime", "model", "dataset", "trainer", "job"]

# Valid values, by type and name; "FUNCTION.NAME" where one function needs another. `v` is a Values, `w` the World.
VALUES = {
    "hone_error *": "w.error",
    "hone_buffer *": "w.buffer",
    "hone_config *": "v.config()",
    "hone_runtime *": "w.runtime",
    "hone_model *": "w.model",
    "hone_dataset *": "w.dataset",
    "hone_dataset_add.dataset": "v.growing_dataset()",
    "hone_dataset_append.dataset": "v.read_dataset()",
    "hone_trainer *": "v.trainer()",
    "hone_trainer_backward.trainer": "v.trainer_after_forward()",
    "hone_job *": "w.job",
    "hone_status status": "HONE_EINVAL",
    "const char * key": "v.key()",
    "hone_config_set_str.key": '"train.schedule"',
    "hone_config_set_int.key": '"train.batch_size"',
    "hone_config_set_real.key": '"train.lr"',
    "hone_config_set_bool.key": '"encode.normalize"',
    "const char * value": '"cosine"',
    "int64_t value": "64",
    "double value": "1e-4",
    "int32_t value": "1",
    "int32_t level": "HONE_LOG_INFO",
    "size_t index": "0",
    "size_t head": "2",
    "size_t * size": "v.place<size_t>()",
    "hone_model_load.folder": "kModelFolder.c_str()",
    "hone_model_save.folder": "v.new_path()",
    "const char * file": "kPairsFile.c_str()",
    "const char * corpus": "v.corpus()",
    "const char * queries": "v.queries()",
    "const char * qrels": "v.qrels()",
    "const hone_str * texts": "v.texts()",
    "hone_model_encode.count": "Values::kTexts",
    "const hone_str * corpus": "v.texts()",
    "const hone_str * queries": "v.texts()",
    "hone_model_nearest.corpus_count": "Values::kTexts",
    "hone_model_nearest.query_count": "Values::kTexts",
    "hone_model_nearest.top": "2",
    "int64_t * indices": "v.place<int64_t>(2 * Values::kTexts)",
    "float * scores": "v.place<float>(2 * Values::kTexts)",
    "size_t out_places": "2 * Values::kTexts",
    "float * out": "v.floats()",
    "size_t out_floats": "Values::kFloats",
    "struct ArrowArrayStream * in": "v.texts_stream()",
    "struct ArrowArrayStream * stream": "v.pairs_stream()",
    "struct ArrowArrayStream * out": "v.out_stream()",
    "const char *const * columns": "v.columns()",
    "hone_dataset_create.count": "Values::kColumns",
    "const hone_value * values": "v.row()",
    "hone_dataset_add.count": "Values::kColumns",
    "const float * gradient": "v.gradient()",
    "size_t floats": "v.gradient_floats()",
    "double loss": "0.5",
    "int64_t timeout_ms": "0",
    "hone_option * out": "v.sized_place<hone_option>()",
    "hone_progress * progress": "v.sized_place<hone_progress>()",
    "hone_progress * out": "v.sized_place<hone_progress>()",
    "hone_batch * batch": "v.sized_place<hone_batch>()",
    "const hone_log_sink * sink": "v.sink()",
    "const hone_job_callbacks * callbacks": "v.callbacks()",
}

PATHS = ("folder", "file", "corpus", "queries", "qrels")
EINVAL, PATH, COLUMNS = "{HONE_EINVAL}", "{HONE_EINVAL, HONE_EFAILED}", "{HONE_EINVAL, HONE_EFORMAT}"
NOT_UTF8 = r'"a\xff\xfe" "b"'
HUGE = [("SIZE_MAX", "SIZE_MAX"), ("INT64_MAX", "INT64_MAX")]

# More that is refused, by "FUNCTION.NAME": what, the statement that makes it so, statuses, what the error's subject is
# (None: not said). A subject of a key is the key.
REFUSED = {
    "hone_option_describe.index": [
        ("one too many", "c.index = hone_option_count();", EINVAL, "index"),
        ("SIZE_MAX", "c.index = SIZE_MAX;", EINVAL, "index")],
    "hone_config_set_str.value": [
        ("empty", 'c.value = "";', EINVAL, "train.schedule"),
        ("not UTF-8", f"c.value = {NOT_UTF8};", EINVAL, "train.schedule"),
        ("no schedule", 'c.value = "quadratic";', EINVAL, "train.schedule")],
    "hone_config_set_int.value": [
        (text, f"c.value = {text};", EINVAL, "train.batch_size") for text in ("0", "-1", "INT64_MIN", "INT64_MAX")],
    "hone_config_set_real.value": [
        (text, f"c.value = {text};", EINVAL, "train.lr") for text in ("NAN", "HUGE_VAL", "-HUGE_VAL", "-1")],
    "hone_config_set_bool.value": [
        (text, f"c.value = {text};", EINVAL, "encode.normalize") for text in ("2", "-1", "INT32_MAX", "INT32_MIN")],
    "hone_runtime_set_log.sink": [
        ("no on_message", "v.sink()->on_message = nullptr;", EINVAL, "sink")],
    "hone_model_encode.texts": [
        ("a text of NULL", "v.texts()[1] = {nullptr, 5};", EINVAL, "texts"),
        ("a text that is not UTF-8", r'v.texts()[1] = {"a\xff", 2};', "{HONE_EFORMAT}", None)],
    "hone_model_encode.count": [
        (what, f"c.count = {value};", EINVAL, None) for what, value in [
            *HUGE, ("product that wraps round", "SIZE_MAX / kDim + 2"), ("one too many for the room", "c.count + 1")]],
    "hone_model_encode.out_floats": [
        ("0", "c.out_floats = 0;", EINVAL, "out_floats"),
        ("one too few", "c.out_floats -= 1;", EINVAL, "out_floats")],
    "hone_model_nearest.corpus": [
        ("a text of NULL", "v.texts()[1] = {nullptr, 5};", EINVAL, "corpus"),
        ("a text that is not UTF-8", r'v.texts()[1] = {"a\xff", 2};', "{HONE_EFORMAT}", None)],
    **{f"hone_model_nearest.{name}": [(what, f"c.{name} = {value};", EINVAL, name) for what, value in HUGE]
       for name in ("corpus_count", "query_count")},
    "hone_model_nearest.top": [
        (what, f"c.top = {value};", EINVAL, None) for what, value in [("0", "0"), *HUGE, ("more than there is room", "3")]],
    "hone_model_nearest.out_places": [
        ("0", "c.out_places = 0;", EINVAL, "out_places"),
        ("one too few", "c.out_places -= 1;", EINVAL, "out_places")],
    "hone_model_encode_arrow.in": [("released", "c.in->release(c.in);", EINVAL, "in")],
    "hone_dataset_from_arrow.stream": [("released", "c.stream->release(c.stream);", EINVAL, "stream")],
    "hone_dataset_create.columns": [
        ("a name of NULL", "v.columns()[1] = nullptr;", EINVAL, "columns"),
        ("an empty name", 'v.columns()[1] = "";', COLUMNS, None),
        ("a name that is not UTF-8", f"v.columns()[1] = {NOT_UTF8};", COLUMNS, None),
        ("a name twice", "v.columns()[1] = v.columns()[0];", COLUMNS, None)],
    "hone_dataset_create.count": [
        ("0", "c.count = 0;", COLUMNS, None),
        ("two missing", "c.count -= 2;", COLUMNS, None),
        *[(what, f"c.count = {value};", EINVAL, "count") for what, value in HUGE]],
    "hone_dataset_add.values": [
        ("a text of NULL", "v.row()[0].text = {nullptr, 5};", EINVAL, "values"),
        ("a text that is not UTF-8", r'v.row()[0].text = {"a\xff", 2};', "{HONE_EFORMAT}", None),
        ("a number that is none", "v.row()[2].number = NAN;", "{HONE_EFORMAT}", None)],
    "hone_dataset_add.count": [
        (value, f"c.count = {value};", EINVAL, "count") for value in ("0", "2", "4", "SIZE_MAX")],
    "hone_dataset_append.dataset": [
        ("without a row", "c.dataset = v.growing_dataset();", EINVAL, "dataset"),
        ("one in use", "c.dataset = w.dataset;", "{HONE_EBUSY}", "dataset")],
    "hone_dataset_append.other": [("without a row", "c.other = v.growing_dataset();", EINVAL, "other")],
    "hone_trainer_backward.gradient": [
        ("no number", "v.gradient()[3] = NAN;", "{HONE_EFAILED}", None)],
    "hone_trainer_backward.floats": [
        (value, f"c.floats = {value};", EINVAL, "floats")
        for value in ("0", "c.floats - 1", "c.floats + 1", "SIZE_MAX")],
    "hone_model_compare.dataset": [("without a row", "c.dataset = v.growing_dataset();", PATH, None)],
    "hone_model_evaluate.dataset": [("without a row", "c.dataset = v.growing_dataset();", PATH, None)],
    "hone_trainer_create.dataset": [("without a row", "c.dataset = v.growing_dataset();", PATH, None)],
}
# What is allowed though it may look wrong.
ACCEPTED = {
    "hone_model_encode.count": [("0", "c.count = 0;")],
    "hone_model_encode.out_floats": [("more than needed", "c.out_floats = SIZE_MAX;")],
    "hone_model_nearest.corpus_count": [("0", "c.corpus_count = 0;")],
    "hone_model_nearest.query_count": [("0", "c.query_count = 0;")],
    "hone_model_nearest.top": [("1", "c.top = 1;")],
    "hone_model_nearest.out_places": [("more than needed", "c.out_places = SIZE_MAX;")],
    "hone_dataset_info.head": [("0", "c.head = 0;"), ("SIZE_MAX", "c.head = SIZE_MAX;")],
    "hone_job_wait.timeout_ms": [(t, f"c.timeout_ms = {t};") for t in ("-1", "INT64_MIN", "INT64_MAX")],
    "hone_job_next_event.timeout_ms": [(t, f"c.timeout_ms = {t};") for t in ("-1", "INT64_MIN", "INT64_MAX")],
}


class Parameter:
    def __init__(self, function, text):
        self.type, self.name = re.fullmatch(r"(.*?)(\w+)", text.strip(), re.S).groups()
        self.type = re.sub(r"\s+", " ", self.type).strip()
        self.place = f"{function.name}.{self.name}"
        bare = re.fullmatch(r"(?:const )?hone_(\w+) \*", self.type)
        self.handle = bare[1] if bare and bare[1] in CLASSES else None
        places = re.fullmatch(r"hone_(\w+) \*\*", self.type)
        self.handle_place = places[1] if places and places[1] in CLASSES else None
        self.pointer = self.type.endswith("*")
        self.sized = bool(re.fullmatch(r"(const )?hone_(option|progress|batch|log_sink|job_callbacks) \*", self.type))
        about = re.search(rf"@param {self.name}\b(.*?)(?:@param|@return|$)", function.comment, re.S)
        self.optional = bool(about and "may be NULL" in re.sub(r"[\s*]+", " ", about[1]))

    def declaration(self):
        return f"{self.type}{'' if self.pointer else ' '}{self.name}"

    def value(self):
        if self.handle_place:
            return f"v.handle_place<hone_{self.handle_place}>()"
        options = self.handle == "config" and self.type.startswith("const")
        if options:
            return "w.config"
        handle = f"hone_{self.handle} *" if self.handle else None
        for key in (self.place, f"{self.type} {self.name}", handle):
            if key in VALUES:
                return VALUES[key]
        sys.exit(f"argument_calls.py: no valid value is known for {self.place} of type {self.type}: add one to VALUES")


class Function:
    def __init__(self, comment, result, name, parameters):
        self.comment, self.result, self.name = comment or "", re.sub(r"\s+", " ", result).strip(), name
        self.parameters = [] if parameters.strip() == "void" else [Parameter(self, p) for p in parameters.split(",")]
        self.fails = bool(self.parameters) and self.parameters[-1].name == "error" \
            and self.parameters[-1].type == "hone_error **"
        self.arguments = self.parameters[:-1] if self.fails else self.parameters


def functions(header):
    pattern = re.compile(r"(?:/\*\*((?:(?!\*/).)*)\*/\s*)?HONE_API\s+([^;()]*?)(hone_\w+)\(([^)]*)\);", re.S)
    return [Function(*match.groups()) for match in pattern.finditer(header)]


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def refused(function, parameter, what, change, statuses, subject, found=None):
    texts = f"{quoted(subject) if subject else 'nullptr'}, {quoted(found) if found else 'nullptr'}"
    return (f"  refused({quoted(parameter.name + ': ' + what)}, {statuses}, {texts}, valid,\n"
            f"          +[](Call &c, Values &v, World &w) {{ {change} unused(c, v, w); }});\n")


def accepted(what, change):
    return f"  accepted({quoted(what)}, valid, +[](Call &c, Values &v, World &w) {{ {change} unused(c, v, w); }});\n"


def failing_cases(function):
    yield accepted("all valid", "")
    for p in function.arguments:
        if p.pointer:
            what, change = f"{p.name}: NULL", f"c.{p.name} = nullptr;"
            if p.optional:
                yield accepted(what, change)
            else:
                yield refused(function, p, "NULL", change, EINVAL, p.name, f"{p.name}: NULL found")
        if p.handle:
            for other in CLASSES:
                if other != p.handle:
                    change = f"c.{p.name} = reinterpret_cast<hone_{p.handle} *>(w.any_{other}());"
                    yield refused(function, p, f"a hone_{other}", change, EINVAL, p.name,
                                  f"{p.name}: a hone_{other} found, a hone_{p.handle} expected")
        if p.sized:
            for size in ("0", "1", "sizeof(size_t) - 1"):
                yield refused(function, p, f"struct_size {size}", f"v.resize(c.{p.name}, {size});", EINVAL, p.name,
                              f"{p.name}.struct_size: ")
            yield accepted(f"{p.name}: a huge struct_size", f"v.resize(c.{p.name}, SIZE_MAX);")
        if p.type == "const char *" and p.name == "key":
            yield refused(function, p, "empty", 'c.key = "";', EINVAL, None)
            yield refused(function, p, "not UTF-8", f"c.key = {NOT_UTF8};", EINVAL, None)
            unknown = "no.such.option"
            yield refused(function, p, "unknown", f'c.key = "{unknown}";', EINVAL, unknown, unknown)
        if p.type == "const char *" and p.name in PATHS:
            yield refused(function, p, "empty", f'c.{p.name} = "";', PATH, None)
            yield refused(function, p, "not UTF-8", f"c.{p.name} = {NOT_UTF8};", PATH, None)
            yield refused(function, p, "longer than a path can be", f"c.{p.name} = v.long_path();", PATH, None)
        for what, change, statuses, subject in REFUSED.get(p.place, []):
            yield refused(function, p, what, change, statuses, subject)
        for what, change in ACCEPTED.get(p.place, []):
            yield accepted(f"{p.name}: {what}", change)


def failing_test(function):
    declarations = "".join(f"    {p.declaration()};\n" for p in function.arguments)
    names = ", ".join([*(p.name for p in function.arguments), "error"])
    values = ", ".join(p.value() for p in function.arguments)
    yield (f"  struct Call {{\n{declarations}"
           f"    hone_status operator()(hone_error **error) const {{ return {function.name}({names}); }}\n  }};\n"
           f"  const auto valid = +[](Values &v, World &w) {{ unused(v, w); return Call{{{values}}}; }};\n")
    yield from failing_cases(function)


def plain_cases(function):
    """Functions without an error: what they give for what is no handle of theirs."""
    yield "  [[maybe_unused]] World &w = *world;\n"
    if not function.arguments:
        result = f"{function.name}()"
        yield f"  {f'EXPECT_GT({result}, 0u)' if function.result == 'size_t' else f'given({result})'};\n  ran();\n"
        return
    first, rest = function.arguments[0], function.arguments[1:]
    verb = function.name.rsplit("_", 1)[1]
    if function.name == "hone_status_name":
        for value in ("1", "-10", "INT32_MAX", "INT32_MIN"):
            yield f'  EXPECT_STREQ(hone_status_name({value}), "unknown");\n  ran();\n'
        return
    if not first.handle:
        sys.exit(f"argument_calls.py: no cases are known for {function.name}: add them to plain_cases()")
    more = "".join(f", {p.value()}" for p in rest)
    bad = [("NULL", "nullptr")] + [
        (f"a hone_{other}", f"reinterpret_cast<hone_{first.handle} *>(w.any_{other}())")
        for other in CLASSES if other != first.handle]
    for what, value in bad:
        call = f"{function.name}(static_cast<{first.type}>({value}){more})"
        yield f"  {{\n    SCOPED_TRACE({quoted(first.name + ': ' + what)});\n    Values v(*world);\n    v.snapshot();\n"
        if function.result == "void":
            yield f"    {call};\n"
        elif function.result == "const char *":
            borrowed = "given" if function.name.startswith("hone_error") else "not_given"
            yield f"    {borrowed}({call});\n"
        elif function.result.endswith("*"):
            yield f"    EXPECT_EQ({call}, nullptr);\n"
        elif function.name == "hone_error_row":
            yield f"    EXPECT_EQ({call}, -1);\n"
        else:
            yield f"    EXPECT_EQ({call}, HONE_EINVAL);\n"
        yield "    v.expect_untouched();\n    ran();\n  }\n"
    handle = f"w.any_{first.handle}()"
    if verb == "retain":
        release = function.name.replace("_retain", "_release")
        yield f"  EXPECT_EQ({function.name}({handle}), {handle});\n  {release}({handle});\n"
    for p in rest:
        if p.pointer and p.optional:
            nulls = "".join(", nullptr" if q is p else f", {q.value()}" for q in rest)
            yield f"  {{\n    Values v(*world);\n    given({function.name}({handle}{nulls}));\n  }}\n"


def main():
    header_file, out = sys.argv[1:]
    with open(header_file, encoding="utf-8") as file:
        header = file.read()
    found = functions(header)
    if len(found) != len(re.findall(r"^HONE_API ", header, re.M)):
        sys.exit("argument_calls.py: hone.h has declarations that were not understood")
    text = ["// Made by tests/capi/argument_calls.py from hone.h.\n",
            '#include "tests/capi/argument_cases.h"\n\nnamespace hone::testing {\n\n',
            "const std::vector<std::string> kFunctionsWithCases = {\n",
            *(f'    "{f.name}",\n' for f in found), "};\n"]
    for function in found:
        text.append(f"\nTEST_F(Arguments, {function.name}) {{\n")
        text.extend(failing_test(function) if function.fails else plain_cases(function))
        text.append("}\n")
    text.append("\n}  // namespace hone::testing\n")
    with open(out, "w", encoding="utf-8") as file:
        file.write("".join(text))


if __name__ == "__main__":
    main()
