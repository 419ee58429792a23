# What the other stand-ins are made from: a minimal Debian.
FROM scratch
ADD debian.tar /
CMD ["sh"]
