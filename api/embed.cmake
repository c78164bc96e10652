# Turns files into byte arrays of a C source, so that the binary needs nothing beside it.
# cmake -DOUT=embedded.c -DDIR=folder -P embed.cmake
set(text "#include \"api/embedded.h\"\n")
foreach(file openapi.json landing.html)
  string(REPLACE "." "_" name "ht_${file}")
  file(READ "${DIR}/${file}" hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(................................................................................)"
    "\\1\n" bytes "${bytes}")
  string(APPEND text "const unsigned char ${name}[] = {\n${bytes}\n};\nconst size_t ${name}_size = sizeof ${name};\n")
endforeach()
file(WRITE "${OUT}" "${text}")
