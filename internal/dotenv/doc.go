// Package dotenv reads files of environment variables (.env), as Docker Compose does:
//
//	# a comment
//	NAME=value # which is not part of the value, because of the blank before it
//	export NAME=value
//	NAME: value
//	NAME='taken as it is: $HOME, \n, # and
//	further lines; \' is a quote'
//	NAME="\n, \r, \t, \a, \b, \f, \v are what they are in C; \" \\ \$ are the character;
//	any other backslash stays"
//	NAME
//
// The last has the value that it has in the environment, if any. Blanks around names
// and values do not count. In values without quotes, and in double quotes, there is $:
//
//	$NAME ${NAME}     its value, "" if it is not set, which is warned of
//	${NAME:-value}    value if it is not set, or empty
//	${NAME:+value}    value if it is set, and not empty; else ""
//	${NAME:?text}     an error that says text if it is not set, or empty
//	${NAME-value} ${NAME+value} ${NAME?text}   the same, but empty is as good as set
//	$$ \$             a dollar
//	$5 $(x) $         stay as they are: nothing is executed
//
// In value and text there may be more of them. A variable is first looked for in the
// lines before, then in the environment: so PATH=/opt/bin:$PATH does what it says, as in
// the shell. (Docker Compose looks into the environment first.)
package dotenv
