/* What the process says of itself: plain, as JSON, and with priorities where the journal reads. */
#include <sys/stat.h>
#include <yajl/yajl_tree.h>

#include "api/log.h"
#include "tests/support/check.h"
#include "tests/support/command.h"

static char said[1 << 14];

/* What a line comes out as; `journal`: where JOURNAL_STREAM names the file that it goes to. */
static const char *say(enum ht_log_form form, bool journal, enum ht_log_level level,
                       const char *message)
{
    int fd = ht_command_temp();
    struct stat info;
    int status = 0;
    (void)fflush(stdout);
    said[0] = '\0';
    pid_t child = fork();
    if (child == 0) {
        char name[64];
        (void)fstat(fd, &info);
        (void)snprintf(name, sizeof name, "%" PRIu64 ":%" PRIu64, (uint64_t)info.st_dev,
                       (uint64_t)info.st_ino + (journal ? 0 : 1));
        (void)setenv("JOURNAL_STREAM", name, 1);
        (void)dup2(fd, STDERR_FILENO);
        ht_log_form_set(form);
        ht_log(level, "%s", message);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        return "";
    }
    ssize_t size = pread(fd, said, sizeof said - 1, 0);
    said[size > 0 ? size : 0] = '\0';
    (void)close(fd);
    return said;
}

HT_CASE(plain_lines_name_the_command)
{
    HT_CHECK_STR(say(HT_LOG_PLAIN, false, HT_LOG_INFO, "a\nb"), "houtao serve: a b\n");
    HT_CHECK_STR(say(HT_LOG_PLAIN, false, HT_LOG_ERROR, ""), "houtao serve: \n");
}

HT_CASE(the_journal_gets_priorities)
{
    HT_CHECK_STR(say(HT_LOG_PLAIN, true, HT_LOG_INFO, "a"), "<6>houtao serve: a\n");
    HT_CHECK_STR(say(HT_LOG_PLAIN, true, HT_LOG_WARNING, "a"), "<4>houtao serve: a\n");
    HT_CHECK_STR(say(HT_LOG_PLAIN, true, HT_LOG_ERROR, "a"), "<3>houtao serve: a\n");
    HT_CHECK(strncmp(say(HT_LOG_JSON, true, HT_LOG_ERROR, "a"), "<3>{\"time\":\"2", 13) == 0);
}

HT_CASE(json_lines_are_json_whatever_they_say)
{
    const char *keys[] = {"message", NULL};
    const char *level[] = {"level", NULL};
    yajl_val tree = yajl_tree_parse(
        say(HT_LOG_JSON, false, HT_LOG_WARNING, "\"C:\\x\"\t\x01 \xe5\x80\x99\xe6 end\n"), NULL, 0);
    HT_REQUIRE(tree != NULL);
    HT_CHECK_STR(YAJL_GET_STRING(yajl_tree_get(tree, level, yajl_t_string)), "warning");
    HT_CHECK_STR(YAJL_GET_STRING(yajl_tree_get(tree, keys, yajl_t_string)),
                 "\"C:\\x\"\t\x01 \xe5\x80\x99 end\n");
    yajl_tree_free(tree);
    HT_CHECK(strchr(said, '\n') == said + strlen(said) - 1);
}

HT_CASE(a_long_message_is_cut_and_stays_json)
{
    static char text[5000];
    memset(text, '\x02', sizeof text - 1); /* each six bytes in JSON */
    yajl_val tree = yajl_tree_parse(say(HT_LOG_JSON, false, HT_LOG_INFO, text), NULL, 0);
    HT_CHECK(tree != NULL);
    yajl_tree_free(tree);
    HT_CHECK(strlen(said) > 6000);
    memset(text, '\xe5', sizeof text - 1); /* none of it is a character */
    tree = yajl_tree_parse(say(HT_LOG_JSON, false, HT_LOG_INFO, text), NULL, 0);
    HT_CHECK(tree != NULL);
    yajl_tree_free(tree);
}

HT_CASE(the_journal_is_known_by_its_file_alone)
{
    struct stat info;
    char name[64];
    HT_REQUIRE(fstat(STDERR_FILENO, &info) == 0);
    (void)snprintf(name, sizeof name, "%" PRIu64 ":%" PRIu64, (uint64_t)info.st_dev,
                   (uint64_t)info.st_ino);
    HT_CHECK(ht__log_is_journal(name, STDERR_FILENO));
    HT_CHECK(!ht__log_is_journal(NULL, STDERR_FILENO));
    HT_CHECK(!ht__log_is_journal("", STDERR_FILENO));
    HT_CHECK(!ht__log_is_journal("0:0", STDERR_FILENO));
    (void)strcat(name, "0");
    HT_CHECK(!ht__log_is_journal(name, STDERR_FILENO));
    HT_CHECK(!ht__log_is_journal(name, -1));
}

HT_MAIN()
