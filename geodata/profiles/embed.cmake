# Writes a C file with the built-in profiles: cmake -DOUT=file.c -DDIR=folder -DNAMES=car,van -P embed.cmake
# Bytes, not string literals: those may not be longer than 4,095 characters in standard C.
string(REPLACE "," ";" names "${NAMES}")
set(text "#include \"geodata/profile_internal.h\"\n\n")
set(rows "")
foreach(name IN LISTS names)
  file(READ "${DIR}/${name}.json" hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(................................................................................)"
    "\\1\n" bytes "${bytes}")
  string(APPEND text "static const unsigned char json_${name}[] = {\n${bytes}\n};\n\n")
  string(APPEND rows "    {.name = \"${name}\", .json = json_${name}, .size = sizeof json_${name}},\n")
endforeach()
string(APPEND text "const struct ht__builtin ht__builtins[] = {\n${rows}};\n"
  "const size_t ht__builtin_count = sizeof ht__builtins / sizeof ht__builtins[0];\n")
file(WRITE "${OUT}" "${text}")
